"""When an extract is written again, left alone or refused. Breaks: a sealed file changes, or one is missing without a reason."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dagster_project.errors import ChecksFailed, InfrastructureError, UsageError
from dagster_project.finance.extract import extract
from dagster_project.finance.periods import complete_period, latest_complete
from dagster_project.publish.reader import open_current
from tests.finance.extract_files import read


def test_an_unchanged_extract_is_left_alone_and_a_changed_one_replaced_whole(books: Any) -> None:
    books.publish()
    folder = extract(books.home, "2026-10")
    inode = folder.stat().st_ino
    assert extract(books.home, "2026-10").stat().st_ino == inode
    books.publish("update marts.mart_cost_per_unit set volume_count = 41 where unit_kind = 'call'")
    (folder / "stray.txt").write_text("left behind", encoding="utf-8")
    assert next(row["quantity"] for row in read(extract(books.home, "2026-10"), "lines") if row["line_id"] == "unit_cost.call") == 41
    assert {path.name for path in folder.parent.iterdir()} == {"v1"}
    assert not (folder / "stray.txt").exists()


@pytest.mark.fault("C1")
@pytest.mark.parametrize("is_new_in_place", [True, False])
def test_a_kill_between_the_two_renames_loses_no_extract(books: Any, is_new_in_place: bool) -> None:
    books.publish()
    folder = extract(books.home, "2026-10")
    content = {path.name: path.read_bytes() for path in folder.iterdir()}
    folder.rename(folder.with_name("v1.replaced"))
    folder.with_name("v1.building").mkdir()
    if is_new_in_place:
        folder.mkdir()
    assert extract(books.home, "2026-10") == folder
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == content
    assert {path.name for path in folder.parent.iterdir()} == {"v1"}


@pytest.mark.fault("P1")
def test_an_extract_that_is_not_provisional_any_more_is_never_written_again(books: Any) -> None:
    books.publish()
    folder = extract(books.home, "2026-10")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    (folder / "manifest.json").write_text(json.dumps(manifest | {"status": "final"}), encoding="utf-8")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    books.publish("update marts.mart_cost_per_unit set volume_count = 41")
    with pytest.raises(UsageError, match="is final and is never written again"):
        extract(books.home, "2026-10")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.fault("P3")
@pytest.mark.parametrize(
    ("period", "reason"),
    [
        ("2026-11", "2026-11 is still running: it ends on 2026-11-30"),
        ("2026-12", "2026-12 is not in the published copy; months there: 2026-09 to 2026-11"),
        ("2026-13", "not of the form YYYY-MM"),
        ("../../etc", "not of the form YYYY-MM"),
    ],
)
def test_a_running_or_unknown_month_is_refused_with_the_reason(closed_books: Any, period: str, reason: str) -> None:
    before = sorted((closed_books.home / "finance").rglob("*")) if (closed_books.home / "finance").exists() else []
    with pytest.raises(UsageError, match=reason) as refused:
        extract(closed_books.home, period)
    assert refused.value.exit_code == 2
    assert (sorted((closed_books.home / "finance").rglob("*")) if before else []) == before


@pytest.mark.fault("P3")
@pytest.mark.parametrize(
    ("change", "check"),
    [
        ("update marts.mart_cost_reconciliation set difference_amount = 0.01 where pool_id = 'P1'", "reconciliation_is_zero"),
        (
            "update marts.mart_cost_reconciliation set allocated_amount = allocated_amount + 1 where pool_id = 'P1'",
            "cost_ties_to_reconciliation",
        ),
        ("update marts.fct_cost_line set cost_amount = 60.01 where cost_amount = 60", "cost_ties_to_roi"),
        (
            "update analytics.mart_service_roi_account set service_cost_amount = 10.26 where account_id = 'ACCOUNT_UNKNOWN'",
            "accounts_tie_to_company",
        ),
        ("update analytics.mart_service_roi_month set net_benefit_amount = 249.76", "net_benefit_ties"),
        ("update marts.fct_order_line_net set is_fx_missing = true", "rates_are_complete"),
        ("update marts.fct_refund set is_fx_missing = true", "rates_are_complete"),
        ("update marts.fct_cost_line set cost_amount = null where cost_centre = 'CC1'", "rates_are_complete"),
    ],
)
def test_what_does_not_tie_to_the_cent_stops_the_extract_and_is_named(books: Any, change: str, check: str) -> None:
    books.publish(change)
    with pytest.raises(ChecksFailed, match=check) as refused:
        extract(books.home, "2026-10")
    assert refused.value.exit_code == 4
    assert not (books.home / "finance").exists()


def test_a_company_without_cost_has_an_empty_cost_line_with_its_reason(books: Any) -> None:
    books.publish("""
        delete from marts.fct_cost_line; delete from marts.mart_cost_reconciliation;
        update analytics.mart_service_roi_account set service_cost_amount = null;
        update analytics.mart_service_roi_month set service_cost_amount = null, service_cost_null_reason = 'source_absent',
            net_benefit_amount = null, null_reason = 'source_absent', roi_ratio = null""")
    rows = {row["line_id"]: row for row in read(extract(books.home, "2026-10"), "lines")}
    assert (rows["cost.total"]["reporting_amount"], rows["cost.total"]["null_reason"]) == (None, "source_absent")
    assert (rows["roi.month"]["quantity"], rows["roi.month"]["null_reason"]) == (None, "source_absent")


def test_a_copy_without_a_needed_table_says_which(books: Any) -> None:
    books.publish("drop table marts.mart_cost_per_unit")
    with pytest.raises(InfrastructureError, match="mart_cost_per_unit does not exist"):
        extract(books.home, "2026-10")


@pytest.mark.fault("S4")
def test_an_entity_name_cannot_lead_out_of_the_finance_folder(books: Any) -> None:
    books.publish("update ops.run_parameters set legal_entity = '../../株式会社'")
    folder = extract(books.home, "2026-10")
    assert folder.relative_to(books.home).parts == ("finance", "------株式会社", "2026-10", "v1")


def test_the_latest_complete_month_has_figures_and_ended(closed_books: Any) -> None:
    connection, _ = open_current(closed_books.home)
    latest = latest_complete(connection)
    assert latest is not None
    assert latest.label == "2026-10"
    connection.close()


def test_a_fiscal_month_is_named_by_its_own_id_not_by_its_first_day(books: Any) -> None:
    books.publish("""
        update marts.dim_period set period_month = date '2026-09-28' where fiscal_period = '2026-10';
        update marts.dim_period set fiscal_period = 'P09' where fiscal_period = '2026-09'""")
    connection, _ = open_current(books.home)
    assert complete_period(connection, "2026-10").period_month.isoformat() == "2026-09-28"
    assert complete_period(connection, "2026-09").fiscal_period == "P09"
    connection.close()
