"""What a user types and what the shell gets back: exit codes, clear messages, no stack trace."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dagster_project.orchestration.runtime import runtime_from_environment
from dagster_project.reports.summary import summary
from dagster_project.settings import load_settings

PROJECT = Path(__file__).resolve().parents[2]


def service_roi(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dagster_project.commands.cli", *map(str, arguments)],
        cwd=PROJECT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_run_with_nothing_new_says_so(build_company: Any) -> None:
    demo = build_company("small_demo")
    finished = service_roi("run", "--landing", demo.landing, "--home", demo.home)
    assert finished.returncode == 0
    assert finished.stdout.startswith("nothing new")


def test_a_run_that_cannot_read_a_new_file_does_not_say_that_all_is_held(build_company: Any) -> None:
    demo = build_company("small_demo")
    path: Path = demo.landing / "helpdesk" / "tickets" / "2026-01-01" / "a.csv"
    path.parent.mkdir(parents=True)
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    try:
        finished, planned = (service_roi(word, "--landing", demo.landing, "--home", demo.home) for word in ("run", "plan"))
    finally:
        shutil.rmtree(demo.landing / "helpdesk")
    assert "every delivery that can be read; 1 files cannot, see above" in finished.stdout
    assert "ROI_MAPPINGS" in finished.stderr
    assert planned.stdout.startswith("nothing new that can be read")


def test_an_unknown_setting_is_a_usage_error() -> None:
    finished = service_roi("plan", ROI_LANDNIG="/tmp")
    assert finished.returncode == 2
    assert "ROI_LANDNIG" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_landing_folder_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    finished = service_roi("run", "--landing", tmp_path / "nowhere", "--home", tmp_path / "home")
    assert finished.returncode == 2
    assert "does not exist" in finished.stderr


def test_a_first_run_that_finds_nothing_to_read_says_what_is_there(tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    (landing / "till" / "sales" / "2026-01-05").mkdir(parents=True)
    (landing / "till" / "sales" / "2026-01-05" / "a.csv").write_text("a,b\n")
    finished = service_roi("run", "--landing", landing, "--home", tmp_path / "home")
    assert finished.returncode == 2
    assert "holds no file of a known system, and nothing was loaded before; remedy: deliver files as" in finished.stderr
    assert "unknown system till" in finished.stderr


def test_a_wrong_assumption_ends_a_run_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "landing").mkdir()
    (tmp_path / "assumptions.yml").write_text("activity_window_days: {value: -1, unit: days, reason: none}\n")
    given = ("--landing", tmp_path / "landing", "--home", tmp_path / "home")
    finished = service_roi("run", *given, ROI_ASSUMPTIONS=str(tmp_path / "assumptions.yml"))
    assert finished.returncode == 2
    assert "activity_window_days" in finished.stderr
    assert not list(tmp_path.glob("home/ops/ledger*"))


@pytest.mark.fault("C5")
def test_a_home_that_cannot_be_made_ends_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "landing").mkdir()
    (tmp_path / "file").write_text("in the way")
    finished = service_roi("run", "--landing", tmp_path / "landing", "--home", tmp_path / "file" / "home")
    assert finished.returncode == 5
    assert "cannot be written" in finished.stderr


def test_a_run_that_dagster_started_keeps_the_command_line_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROI_HOME", str(tmp_path / "home"))
    (tmp_path / "landing").mkdir()
    with runtime_from_environment() as runtime:
        finished = service_roi("run", "--landing", tmp_path / "landing", "--home", tmp_path / "home")
    assert finished.returncode == 5
    assert f"run {runtime.run_id}" in finished.stderr


def test_an_engine_that_nobody_knows_is_a_usage_error(tmp_path: Path) -> None:
    finished = service_roi("run", "--engine", "flink", "--home", tmp_path)
    assert finished.returncode == 2
    assert "flink" in finished.stderr
    assert "duckdb" in finished.stderr


def test_a_query_before_the_first_run_says_what_to_do(tmp_path: Path) -> None:
    finished = service_roi("sql", "select 1", "--home", tmp_path)
    assert finished.returncode == 2
    assert "service-roi run" in finished.stderr


@pytest.fixture(scope="module")
def copy_of_demo(build_company: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    demo = build_company("small_demo")
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(demo.landing, folder / "landing")
    shutil.copytree(demo.home, folder / "home")
    return folder / "landing", folder / "home"


def served(home: Path) -> str:
    return (home / "published" / "current.json").read_text(encoding="utf-8")


@pytest.mark.fault("F10")
def test_a_renamed_column_is_refused_with_the_nearest_name_and_the_old_copy_stays(copy_of_demo: tuple[Path, Path]) -> None:
    landing, home = copy_of_demo
    before = served(home)
    file = landing / "canonical" / "refunds" / "2026-11-05" / "refunds.csv"
    file.parent.mkdir(parents=True)
    file.write_text("refund_id,order_id,refunded_at,refund_amont,currency_code\nR1,O1,2026-10-31T10:00:00Z,5.00,EUR\n")
    finished = service_roi("run", "--landing", landing, "--home", home)
    assert finished.returncode == 3, finished.stderr
    assert "refund_amount" in finished.stderr
    assert "refund_amont" in finished.stderr
    assert "Traceback" not in finished.stderr
    assert served(home) == before
    file.unlink()


def test_a_batch_that_fails_its_checks_is_not_published(copy_of_demo: tuple[Path, Path]) -> None:
    landing, home = copy_of_demo
    before = served(home)
    file = landing / "canonical" / "orders" / "2026-11-05" / "orders.csv"
    file.parent.mkdir(parents=True)
    file.write_text(
        "order_id,account_id,order_kind,ordered_at,currency_code,gross_amount,discount_amount,net_amount,is_test\n"
        "OX1,A0000001,sale,2026-10-31T10:00:00Z,EUR,100.00,10.00,50.00,false\n"
    )
    finished = service_roi("run", "--landing", landing, "--home", home)
    assert finished.returncode == 4, finished.stderr
    assert "net_is_gross_less_discount" in finished.stderr
    assert served(home) == before
    file.unlink()


@pytest.mark.fault("F21", "F23", "D15")
def test_what_checks_warn_of_is_printed_and_published_and_one_refund_that_changes_the_month_stops_it(
    copy_of_demo: tuple[Path, Path], tmp_path: Path
) -> None:
    """In a copy of its own: the refund that stops it is loaded and would stop every run after it."""
    landing, home = (Path(shutil.copytree(folder, tmp_path / folder.name)) for folder in copy_of_demo)
    order, sold = json.loads(
        service_roi(
            "sql",
            "select order_id, transaction_net_amount as sold from marts.fct_order_line_net where is_counted and order_id not in"
            " (select order_id from marts.fct_refund) order by ordered_at desc, order_id limit 1",
            "--home", home, "--format", "json",
        ).stdout
    )[0].values()  # fmt: skip
    file, future = (landing / "canonical" / "refunds" / day / "refunds.csv" for day in ("2026-11-06", "2126-01-01"))
    for path, amount in ((file, float(sold) + 5_000), (future, 1)):
        path.parent.mkdir(parents=True)
        path.write_text(f"refund_id,order_id,refunded_at,refund_amount,currency_code\nRX,{order},2026-11-05T10:00:00Z,{amount:.2f},EUR\n")
    rates = landing / "canonical" / "fx_rates" / "2026-11-06" / "chf.csv"
    rates.parent.mkdir(parents=True, exist_ok=True)
    days = "".join(f"2026-10-0{day},CHF,EUR,closing,s,{rate}\n" for day, rate in ((1, "0.95"), (2, "1000000"), (5, "0.96"), (6, "0.94")))
    rates.write_text(f"rate_date,from_currency_code,to_currency_code,rate_type,rate_source,exchange_rate\n{days}")
    finished = service_roi("run", "--landing", landing, "--home", home)
    assert finished.returncode == 3, finished.stderr
    odd = "canonical/fx_rates/2026-11-06/chf.csv record 2 CHF/EUR/2026-10-02/closing/s/1000000.00000000/0.95000000"
    assert f"warning: marts, assert_rates_stay_near_their_neighbours: 1 found, first: {odd} " in finished.stdout
    for said in (finished.stdout, finished.stderr):
        assert f"warning: marts, assert_refunds_stay_within_their_order: 1 found, first: money/{order}/RX/" in said
    assert "2126-01-01: the day of delivery is later than tomorrow" in finished.stderr
    asked = "select unexpected_count, observed, notes from ops.warnings where expectation = 'assert_refunds_stay_within_their_order'"
    (row,) = json.loads(service_roi("sql", asked, "--home", home, "--format", "json").stdout)
    assert row["unexpected_count"] == 1
    assert row["observed"].startswith(f"money/{order}/RX/")
    assert row["notes"].startswith("more money was refunded than was sold")
    before = served(home)
    file.write_text(file.read_text().replace(f"{float(sold) + 5_000:.2f}", "99999.00"))
    finished = service_roi("run", "--landing", landing, "--home", home)
    assert finished.returncode == 4, finished.stderr
    assert "failed: marts, assert_no_refund_exceeds_its_order_by_much: 1 found, first: RX/" in finished.stderr
    assert served(home) == before


@pytest.mark.fault("D12")
def test_a_second_run_during_a_running_one_names_it_and_ends(copy_of_demo: tuple[Path, Path]) -> None:
    from dagster_project.host.lock import warehouse_lock

    landing, home = copy_of_demo
    (left := home / "spill" / "duckdb_temp_storage_DEFAULT-0.tmp").parent.mkdir()
    left.touch()  # by a run that was killed
    with warehouse_lock(home / "ops", "first"):
        assert not left.parent.exists()
        finished = service_roi("run", "--landing", landing, "--home", home)
    assert finished.returncode == 5
    assert "run first" in finished.stderr


@pytest.mark.fault("C8")
def test_doctor_finds_a_damaged_copy_and_a_full_refresh_repairs_it(copy_of_demo: tuple[Path, Path]) -> None:
    import json

    landing, home = copy_of_demo
    path = home / "published" / json.loads(served(home))["file"]
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    finished = service_roi("doctor", "--home", home)
    assert finished.returncode == 5
    assert "damaged" in finished.stdout
    assert service_roi("run", "--landing", landing, "--home", home, "--full-refresh").returncode == 0
    assert service_roi("doctor", "--home", home).returncode == 0


def test_rollback_serves_the_older_content_as_a_new_copy(copy_of_demo: tuple[Path, Path], tmp_path: Path) -> None:
    """In a copy of its own, with an order more."""
    landing, home = (Path(shutil.copytree(folder, tmp_path / folder.name)) for folder in copy_of_demo)
    before = json.loads(served(home))
    same = service_roi("rollback", before["seq"], "--home", home)
    assert (same.returncode, same.stdout) == (0, f"copy {before['seq']} is the one that is served already; nothing was published\n")
    assert json.loads(served(home)) == before
    file = landing / "canonical" / "orders" / "2026-11-05" / "orders.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("order_id,account_id,order_kind,ordered_at,currency_code\nOX1,A0000001,sale,2026-10-31T10:00:00Z,EUR\n")
    assert service_roi("run", "--landing", landing, "--home", home).returncode == 0
    assert json.loads(served(home))["content_hash"] != before["content_hash"]
    assert service_roi("rollback", before["seq"], "--home", home).returncode == 0
    after = json.loads(served(home))
    assert (after["seq"], after["content_hash"]) == (before["seq"] + 2, before["content_hash"])
    assert after["file"].removesuffix(".duckdb") in (home / "reports" / "index.html").read_text(encoding="utf-8")


def test_the_first_page_follows_the_served_copy(build_company: Any) -> None:
    demo = build_company("small_demo")
    page, arguments = demo.home / "reports" / "index.html", ("run", "--landing", demo.landing, "--home", demo.home)
    assert demo.report.outcome["report"] == page
    assert f"first page      {page}" in summary(load_settings(home=demo.home), demo.report.outcome)
    before = page.read_bytes()
    shutil.rmtree(page.parent)
    page.parent.write_bytes(b"no folder")
    failed = service_roi(*arguments)
    assert failed.returncode == 5
    assert f"{page} was not written" in failed.stderr
    assert "published copy 1 stays served; remedy: " in failed.stderr
    assert service_roi("sql", "select 1", "--home", demo.home).returncode == 0
    page.parent.unlink()
    assert service_roi(*arguments).stdout.startswith("nothing new")
    assert page.read_bytes() == before
