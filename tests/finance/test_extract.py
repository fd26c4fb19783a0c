"""What the extract of a closed month holds, and that it is the same everywhere."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dagster_project.finance.extract import extract, referenced_copies, to_csv
from dagster_project.publish.reader import open_current
from tests.finance.extract_files import PARTS, STEM, read, read_csv


@pytest.fixture(scope="module")
def october(closed_books: Any) -> Path:
    return extract(closed_books.home, "2026-10").folder


@pytest.fixture(scope="module")
def lines(october: Path) -> dict[str, dict[str, Any]]:
    return {f"{row['line_id']}|{row['cost_centre'] or ''}": row for row in read(october, "lines")}


def test_every_part_comes_as_csv_and_parquet_in_a_folder_of_entity_month_and_version(closed_books: Any, october: Path) -> None:
    assert october == closed_books.home / "finance" / "ACME---Söhne" / "2026-10" / "v1"
    expected = {f"{STEM}_{part}.{kind}" for part in PARTS for kind in ("csv", "parquet")} | {"manifest.json"}
    assert {path.name for path in october.iterdir()} == expected


def test_cost_lines_are_the_ledger_by_cost_centre_and_account(lines: dict[str, dict[str, Any]]) -> None:
    people = lines["cost.people|CC1"]
    assert (people["reporting_amount"], people["prior_period_amount"], people["ytd_amount"]) == (
        Decimal("100.00"),
        Decimal("80.00"),
        Decimal("180.00"),
    )
    assert (people["evidence_tier"], people["is_estimate"]) == ("ledger", False)
    it = lines['cost.it|=HYPERLINK("x")']
    assert (it["reporting_amount"], it["transaction_amount"], it["transaction_currency_code"]) == (
        Decimal("50.25"),
        Decimal("43.50"),
        "GBP",
    )
    assert it["is_estimate"], "a month that rests on the budget is an estimate"
    assert not [row for row in lines.values() if row["cost_centre"] == "CC9"], "what is out of scope is no cost of the ROI"


def test_each_group_has_one_net_row_and_the_equation_closes(lines: dict[str, dict[str, Any]]) -> None:
    net = {row["line_group"]: row["reporting_amount"] for row in lines.values() if row["line_kind"] == "net"}
    assert net == {"cost": Decimal("150.25"), "value": Decimal("400.00"), "damage": None}
    for group, amount in net.items():
        parts = [
            row["reporting_amount"]
            for row in lines.values()
            if row["line_group"] == group and row["line_kind"] == "detail" and row["is_in_total"]
        ]
        assert sum(part for part in parts if part is not None) == (amount or 0)
    assert lines["memo.net_benefit|"]["reporting_amount"] == Decimal("400.00") - Decimal("150.25")


def test_what_is_not_measured_is_empty_with_its_reason_and_never_zero(october: Path, lines: dict[str, dict[str, Any]]) -> None:
    assert (lines["value.modelled|"]["reporting_amount"], lines["value.modelled|"]["null_reason"]) == (None, "not_built")
    assert lines["value.net|"]["null_reason"] == "value.modelled not_built"
    modelled = next(row for row in read_csv(october, "lines") if row["line_id"] == "value.modelled")
    assert modelled["reporting_amount"] == ""


def test_assumed_value_is_listed_but_never_in_a_total(books: Any) -> None:
    books.publish("update analytics.mart_service_roi_month set v_assumed_amount = 5000, v_assumed_null_reason = null")
    rows = {row["line_id"]: row for row in read(extract(books.home, "2026-10").folder, "lines")}
    assert (rows["value.assumed"]["reporting_amount"], rows["value.assumed"]["is_in_total"]) == (Decimal("5000.00"), False)
    assert rows["value.net"]["reporting_amount"] == Decimal("400.00")


def test_ratios_and_unit_costs_are_a_memo(lines: dict[str, dict[str, Any]]) -> None:
    roi = lines["roi.month|"]
    assert (roi["line_group"], roi["quantity"], roi["unit"], roi["low95"], roi["high95"]) == (
        "memo",
        Decimal("1.662230"),
        "ratio",
        Decimal("1.500000"),
        Decimal("1.750000"),
    )
    call, sales = lines["unit_cost.call|"], lines["unit_cost.sales_unit|"]
    assert (call["quantity"], call["unit_amount"]) == (Decimal(40), Decimal("3.0050"))
    assert sales["quantity"] == Decimal("2000.00")


def test_every_line_names_its_metric_and_the_file_defines_these_and_no_others(october: Path, lines: dict[str, dict[str, Any]]) -> None:
    definitions = {row["metric_id"]: row for row in read(october, "definitions")}
    assert set(definitions) == {row["metric_id"] for row in lines.values()} | {"cost_reconciliation_difference"}
    named = {
        line: lines[line]["metric_id"]
        for line in ("margin_per_service_cost.month|", "unit_cost.call|", "cost.people|CC1", "cost.net|", "value.hard|")
    }
    assert list(named.values()) == ["margin_per_service_cost", "cost_per_call", "service_cost", "group_net", "service_value_hard"]
    assert (definitions["margin_per_service_cost"]["label_ja"], definitions["group_net"]["label_ja"]) == ("名前", None)


def test_net_revenue_is_a_line_of_its_own(lines: dict[str, dict[str, Any]]) -> None:
    line = lines["memo.net_revenue|"]
    assert (line["reporting_amount"], line["prior_period_amount"]) == (Decimal("2000.00"), Decimal("1500.00"))
    assert (line["metric_id"], line["source_relation"], line["is_in_total"]) == ("net_revenue", "reporting.roi_month", False)


def test_the_header_states_period_status_and_control_totals(october: Path) -> None:
    (header,) = read(october, "header")
    assert (header["entity"], header["status"], header["version"], header["currency_code"]) == ("ACME & Söhne", "provisional", 1, "EUR")
    assert (header["cost_amount"], header["value_amount"], header["net_benefit_amount"]) == tuple(
        map(Decimal, ("150.25", "400.00", "249.75"))
    )
    assert header["line_count"] == len(read(october, "lines"))


def test_the_reconciliation_shows_scope_exclusions_apart(october: Path) -> None:
    rows = {row["cost_category"]: row for row in read(october, "reconciliation")}
    assert rows["other"]["out_of_scope_amount"] == Decimal("999.00")
    assert sum(row["ledger_amount"] for row in rows.values()) == Decimal("150.25")
    assert {row["difference_amount"] for row in rows.values()} == {Decimal(0)}


def test_the_restatement_log_is_empty_but_there(october: Path) -> None:
    assert (october / f"{STEM}_restatements.csv").read_text(encoding="utf-8").startswith("entity,period,version_from,version_to,line_id,")
    assert read(october, "restatements") == []


def test_all_checks_are_listed_green(october: Path) -> None:
    checks = read(october, "checks")
    assert len(checks) == 7
    assert {(row["severity"], row["result"]) for row in checks} == {("blocking", "pass")}


def test_csv_and_parquet_hold_the_same_rows(october: Path) -> None:
    for part in PARTS:
        table = pq.read_table(october / f"{STEM}_{part}.parquet")
        assert to_csv(table) == (october / f"{STEM}_{part}.csv").read_bytes()
        assert len(read_csv(october, part)) == table.num_rows


def test_the_manifest_describes_every_file(closed_books: Any, october: Path) -> None:
    manifest = json.loads((october / "manifest.json").read_text(encoding="utf-8"))
    _, pointer = open_current(closed_books.home)
    assert (manifest["content_hash"], manifest["data_as_of"], manifest["assumptions_sha256"]) == (
        pointer.content_hash,
        "2026-11-12",
        "a" * 64,
    )
    assert {entry["name"] for entry in manifest["files"]} == {path.name for path in october.iterdir()} - {"manifest.json"}
    for entry in manifest["files"]:
        content = (october / entry["name"]).read_bytes()
        assert (entry["bytes"], entry["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    sums = next(entry["sums"] for entry in manifest["files"] if entry["name"].endswith("_lines.csv"))
    assert sums["transaction_amount"] == {"EUR": "100.00", "GBP": "43.50"}
    assert referenced_copies(closed_books.home / "finance") == {pointer.content_hash}


@pytest.mark.fault("S2")
def test_text_that_a_spreadsheet_would_run_is_prefixed_and_numbers_are_not(october: Path) -> None:
    it = next(row for row in read_csv(october, "lines") if row["line_id"] == "cost.it")
    assert (it["cost_centre"], it["gl_account"]) == ('\'=HYPERLINK("x")', "'-6100")
    texts = ["=1", "+1", "-1", "@a", "\t1", "\r1", "a=1", ""]
    table = pa.table({"text": texts, "amount": pa.array([Decimal("-5.00")] * 8, pa.decimal128(18, 3))})
    cells = [row["text"] for row in csv.DictReader(io.StringIO(to_csv(table).decode(), newline=""), strict=True)]
    assert cells == ["'=1", "'+1", "'-1", "'@a", "'\t1", "'\r1", "a=1", ""]
    assert to_csv(table).count(b"-5.00") == 8
    assert b"'-5.00" not in to_csv(table)


@pytest.mark.fault("S7")
def test_no_account_run_path_or_host_is_in_any_byte(october: Path) -> None:
    for canary in (b"account-canary", b"run-canary", b"home-canary"):
        assert [path.name for path in october.iterdir() if canary in path.read_bytes()] == []


@pytest.mark.fault("P5")
def test_the_same_copy_gives_the_same_bytes_on_any_machine(closed_books: Any, october: Path, project_dir: Path, tmp_path: Path) -> None:
    expected = {path.name: path.read_bytes() for path in october.iterdir()}
    code = "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path; from dagster_project.finance.extract import extract;"
    code += "print(extract(Path(sys.argv[2]), '2026-10', finance=Path(sys.argv[3])).folder)"
    places = (
        {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "1"},
        {"TZ": "America/St_Johns", "LC_ALL": "de_DE.UTF-8", "PYTHONHASHSEED": "4711", "PYTHONUTF8": "1"},
    )
    for number, environment in enumerate(places):
        command = [sys.executable, "-c", code, str(project_dir), str(closed_books.home), str(tmp_path / str(number))]
        finished = subprocess.run(
            command, cwd=tmp_path, env=environment | {"PYTHONIOENCODING": "utf-8"}, capture_output=True, text=True, check=False
        )
        assert finished.returncode == 0, finished.stderr
        folder = tmp_path / str(number) / "ACME---Söhne" / "2026-10" / "v1"
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == expected
