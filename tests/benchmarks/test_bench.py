"""The bench on tiny companies: every case runs and is checked, and a case replaces its own section of the results only."""

from __future__ import annotations

from datetime import date
from importlib.util import find_spec
from pathlib import Path

import duckdb
import pytest

from benchmarks import bench, daily, loaded_lake, product
from benchmarks.measure import Usage
from benchmarks.report import Section, write
from dagster_project.assumptions import load_assumptions
from dagster_project.contracts.model import feeds
from dagster_project.engines.duckdb_engine import DuckDBEngine
from dagster_project.ingest.lake import register_lake
from dagster_project.ledger.store import Ledger
from demo_company.company import write_company

BUILDS = ["duckdb", "pandas", "full", "dbt", "publish"]


def titles(results: Path) -> list[str]:
    return [line.split("bench ")[1].rstrip("`") for line in results.read_text(encoding="utf-8").splitlines() if line.startswith("## ")]


def section(arguments: str, seconds: float) -> Section:
    made = Section(arguments, machine="a machine")
    made.add("case", [Usage(seconds, 1.0, 2**20), Usage(seconds, 3.0, 2**20)], "note")
    made.stages("Stages", [{"one": 1.0, "two": 5.0}, {"one": 3.0}])
    return made


def test_a_case_replaces_its_own_section_and_keeps_the_others(tmp_path: Path) -> None:
    results = tmp_path / "results.md"
    for arguments, seconds in (
        ("--cases full --sizes 1", 10),
        ("--cases day", 20),
        ("--cases full --sizes 10", 30),
        ("--cases full --sizes 1", 40),
    ):
        write(section(arguments, seconds), results)
    text = results.read_text(encoding="utf-8")
    assert titles(results) == ["--cases day", "--cases full --sizes 1", "--cases full --sizes 10"]
    assert "| case | 2 | 40.00 | 40.00-40.00 | 2.00 | 1 | note |" in text
    assert "10.00-10.00" not in text
    assert text.count("20.00-20.00") == text.count("30.00-30.00") == 1
    assert text.count("| one | 2.00 |") == text.count("| two | 2.50 |") == 3
    before = text
    write(section("--cases day", 20), results)
    assert results.read_text(encoding="utf-8") == before


def test_a_ratio_leaves_out_what_was_not_measured(capsys: pytest.CaptureFixture[str]) -> None:
    made = Section("--cases full", machine="a machine")
    made.ratio("product to script", Usage(6, 0, 300), Usage(2, 1, 100))
    assert made.rows == ["| **ratio: product to script** | | 3.00 | |  | 3.00 |  |"]
    assert "3.00" in capsys.readouterr().out


def test_a_short_history_delivers_the_same_day_as_a_long_one(tmp_path: Path) -> None:
    write_company(tmp_path / "landing", 60, 5, 3)
    found = {}
    for months in (2, 5):
        daily.shortened(tmp_path / "landing", months, tmp_path / str(months))
        files = sorted((tmp_path / str(months) / "canonical").glob("*/*/*.csv"))
        found[months] = {file.relative_to(tmp_path / str(months)): file.read_bytes() for file in files}
    assert len(found[2]) < len(found[5])
    late = {path for path in found[5] if date.fromisoformat(path.parent.name) > date(2026, 9, 1)}
    assert late
    assert {path: found[2][path] for path in late} == {path: found[5][path] for path in late}
    assert {path.parts[1] for path in found[2]} == {path.parts[1] for path in found[5]}


def test_a_wrong_result_ends_the_bench() -> None:
    truth = {"cost_cents": {"2026-01": {"people": 100, "it": 5}, "2026-02": {"people": 7, "it": 0}, "2026-03": {"people": 1, "it": 1}}}
    assert product.true_cost(truth) == 114
    assert product.true_cost(truth, 2, without_last=1) == 7
    with pytest.raises(SystemExit, match="the script found 113 cents, the company's truth is 114"):
        product.check("the script", 113, product.true_cost(truth))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--repeats", "9"],
        ["--cases", "growth", "--months", "3", "--histories", "12"],
        ["--cases", "growth", "--histories", "1", "12"],
        ["--cases", "neither"],
    ],
)
def test_options_that_cannot_be_measured_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        bench.main(arguments)
    assert refused.value.code == 2


def measured(tmp_path: Path, *arguments: str) -> tuple[Path, str]:
    results = tmp_path / "results.md"
    options = ["--sizes", "0.002", "--months", "3", "--repeats", "1", "--work", str(tmp_path / "work"), "--results", str(results)]
    bench.main([*options, *arguments])
    return results, results.read_text(encoding="utf-8")


def test_the_scripts_and_the_company_are_measured_and_checked(tmp_path: Path) -> None:
    results, text = measured(tmp_path, "--cases", "duckdb", "pandas", "generate")
    assert titles(results) == ["--cases duckdb pandas --sizes 0.002 --months 3", "--cases generate --sizes 0.002 --months 3"]
    for words in ("| bare DuckDB script, size 0.002 | 1 |", "| pandas script, size 0.002 | 1 |", "rows/s |", "| read and facts |"):
        assert words in text, words


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.skipif(find_spec("dlt") is None, reason="whole builds of the bench: its group `bench` is not installed, make test-all")
def test_every_way_to_build_ends_in_the_true_cost_and_is_compared(tmp_path: Path) -> None:
    cases = ["dlt", *BUILDS]
    _, text = measured(tmp_path, "--cases", *cases)
    for words in (
        "ratio: full build to bare DuckDB script",
        "ratio: full build to pandas script",
        "ratio: full build to dbt build alone",
        "publish alone",
    ):
        assert words in text, words
    assert "ratio: full build to dlt, then dbt build" in text
    for stage in ("| ingest |", "| marts |", "Most expensive models and tests, dbt alone"):
        assert stage in text, stage


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.skipif(find_spec("dlt") is None, reason="whole builds of the bench: its group `bench` is not installed, make test-all")
def test_every_case_of_a_day_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daily, "DEMO_ACCOUNTS", 60)
    monkeypatch.setattr(daily, "DEMO_MONTHS", 2)
    results, text = measured(tmp_path, "--cases", "day", "nothing", "warm", "growth", "--histories", "2", "3")
    assert titles(results) == ["--cases day", "--cases growth --sizes 0.002 --months 3", "--cases nothing", "--cases warm"]
    assert "ratio: 3 months to 2" in text
    assert "| stage | 2 months | 3 months |" in text
    assert text.count("| marts |") == 3


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.skipif(find_spec("dlt") is None, reason="whole builds of the bench: its group `bench` is not installed, make test-all")
def test_the_first_start_needs_nothing_that_an_earlier_run_left(tmp_path: Path) -> None:
    _, text = measured(tmp_path, "--cases", "first")
    assert "| first start to first ROI | 1 |" in text
    assert (tmp_path / "work" / "first" / "dbt" / "target").is_dir()


def test_a_lake_that_another_loader_made_shows_what_the_product_shows(tmp_path: Path) -> None:
    def columns(connection: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
        return {table: {*fields.names} for table, fields in DuckDBEngine(connection).columns(["lake"]).items()}

    loaded_lake.show_lake(tmp_path / "loaded.duckdb", [])
    with duckdb.connect() as made, duckdb.connect(str(tmp_path / "loaded.duckdb")) as loaded:
        register_lake(DuckDBEngine(made), tmp_path, Ledger(tmp_path), load_assumptions(), set())
        product = columns(made)
        assert {*feeds()} < {table.removeprefix("lake.") for table in product}
        found = columns(loaded)
        assert {table for table in product if not product[table] <= found.get(table, set())} == {"lake.batches"}
