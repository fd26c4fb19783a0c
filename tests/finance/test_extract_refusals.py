"""When an extract is written again, left alone or refused. Breaks: a sealed file changes, or one is missing without a reason."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dagster_project.errors import ChecksFailed, InfrastructureError, UsageError
from dagster_project.finance.extract import extract, referenced_copies
from dagster_project.finance.periods import complete_period, latest_complete, over_but_waiting
from dagster_project.publish.reader import open_current
from tests.finance.extract_files import read


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_says_the_same_is_no_new_version_whatever_copy_it_was_read_from(books: Any) -> None:
    books.publish()
    first = extract(books.home, "2026-10")
    content = contents(first.folder)
    assert first.is_new
    books.publish("create table marts.mart_new as select 1 as x")
    again = extract(books.home, "2026-10")
    assert (again.is_new, again.folder) == (False, first.folder)
    assert contents(first.folder) == content


@pytest.mark.fault("P1")
def test_what_says_something_else_becomes_the_next_version_and_names_each_figure_that_it_restates(books: Any) -> None:
    books.publish()
    first = extract(books.home, "2026-10").folder
    content = contents(first)
    books.publish("update marts.mart_cost_per_unit set volume_count = 41 where unit_kind = 'call'")
    second = extract(books.home, "2026-10")
    assert (second.is_new, second.folder.name) == (True, "v2")
    assert contents(first) == content, "a version that was written stays as it was"
    assert read(second.folder, "header")[0]["version"] == 2
    (row,) = read(second.folder, "restatements")
    old, new = (next(line for line in read(folder, "lines") if line["line_id"] == "unit_cost.call") for folder in (first, second.folder))
    assert (row["version_from"], row["version_to"], row["line_id"], row["measure"]) == (1, 2, "unit_cost.call", "quantity")
    assert (row["from_quantity"], row["to_quantity"]) == (old["quantity"], new["quantity"]) == (row["from_quantity"], 41)
    assert not extract(books.home, "2026-10").is_new


def test_a_restated_cost_a_new_line_and_one_that_went_explain_the_difference_to_the_cent(books: Any) -> None:
    books.publish()
    first = extract(books.home, "2026-10").folder
    month = "period_month = date '2026-10-01'"
    roi = f"{month} and window_kind = 'month'"
    account = f"select min(account_id) from analytics.mart_service_roi_account where {roi} and service_cost_amount is not null"
    books.publish(f"""
        update marts.fct_cost_line set cost_amount = cost_amount + 2.5 where {month} and cost_centre = 'CC1';
        update marts.fct_cost_line set cost_centre = 'CC7' where cost_centre = 'CC1';
        update marts.mart_cost_reconciliation set ledger_amount = ledger_amount + 5, allocated_amount = allocated_amount + 5
        where {month} and cost_category = 'people';
        update analytics.mart_service_roi_month
        set service_cost_amount = service_cost_amount + 5, net_benefit_amount = net_benefit_amount - 5 where {roi};
        update analytics.mart_service_roi_account set service_cost_amount = service_cost_amount + 5
        where {roi} and account_id = ({account})
    """)
    second = extract(books.home, "2026-10").folder
    rows = [
        row
        for row in read(second, "restatements")
        if row["measure"] in ("reporting_amount", "line_kind") and row["line_id"].startswith("cost.")
    ]
    by_centre = {(row["cost_centre"], row["measure"]): row for row in rows}
    assert (by_centre["CC1", "line_kind"]["from_text"], by_centre["CC1", "line_kind"]["to_text"]) == ("detail", None)
    assert (by_centre["CC7", "line_kind"]["from_text"], by_centre["CC7", "line_kind"]["to_text"]) == (None, "detail")
    detail = [row for row in rows if row["measure"] == "reporting_amount" and row["line_kind"] == "detail"]
    moved = sum((row["to_amount"] or 0) - (row["from_amount"] or 0) for row in detail)
    before, after = (next(r["reporting_amount"] for r in read(folder, "lines") if r["line_id"] == "cost.net") for folder in (first, second))
    assert moved == after - before == 5
    assert [row["delta_amount"] for row in rows if row["line_id"] == "cost.net"] == [5]


@pytest.mark.fault("C1")
def test_what_a_killed_extract_left_is_no_version(books: Any) -> None:
    books.publish()
    folder = extract(books.home, "2026-10").folder
    (folder.with_name("building")).mkdir()
    assert not extract(books.home, "2026-10").is_new
    assert {path.name for path in folder.parent.iterdir()} == {"v1"}


@pytest.mark.parametrize("damage", ["changed", "gone", "without a manifest"])
def test_a_version_that_was_changed_by_hand_is_named_and_nothing_is_written(books: Any, damage: str) -> None:
    books.publish()
    folder = extract(books.home, "2026-10").folder
    file = next(folder.glob("*_lines.csv"))
    if damage == "changed":
        file.write_bytes(file.read_bytes().replace(b"150.25", b"150.26"))
    else:
        (file if damage == "gone" else folder / "manifest.json").unlink()
    with pytest.raises(InfrastructureError, match=r"v1 is damaged: .*remedy: put the folder back from a backup"):
        extract(books.home, "2026-10")
    assert {path.name for path in folder.parent.iterdir()} == {"v1"}


def test_publish_keeps_the_copy_of_each_months_latest_version(books: Any) -> None:
    books.publish()
    first = extract(books.home, "2026-10").folder
    books.publish("update marts.mart_cost_per_unit set volume_count = 41 where unit_kind = 'call'")
    second = extract(books.home, "2026-10").folder
    assert read(first, "header")[0]["content_hash"] not in referenced_copies(books.home / "finance")
    assert referenced_copies(books.home / "finance") == {read(second, "header")[0]["content_hash"]}


@pytest.mark.fault("P1")
def test_an_extract_that_is_not_provisional_any_more_is_never_written_again(books: Any) -> None:
    books.publish()
    folder = extract(books.home, "2026-10").folder
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
        (
            "2026-11",
            r"2026-11 is not complete: .* after 2026-11-30 of zendesk .last delivered on 2026-11-20. and cost lines of canonical",
        ),
        ("2026-12", "2026-12 is not in the published copy; months there: 2026-09 to 2026-11"),
        ("2026-13", "2026-13 is not in the published copy"),
        ("../../etc", "etc is not in the published copy"),
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
    rows = {row["line_id"]: row for row in read(extract(books.home, "2026-10").folder, "lines")}
    assert (rows["cost.total"]["reporting_amount"], rows["cost.total"]["null_reason"]) == (None, "source_absent")
    assert (rows["roi.month"]["quantity"], rows["roi.month"]["null_reason"]) == (None, "source_absent")


def test_a_copy_without_a_needed_table_says_which(books: Any) -> None:
    books.publish("drop table marts.mart_cost_per_unit")
    with pytest.raises(InfrastructureError, match="mart_cost_per_unit does not exist"):
        extract(books.home, "2026-10")


@pytest.mark.fault("S4")
def test_an_entity_name_cannot_lead_out_of_the_finance_folder(books: Any) -> None:
    books.publish("update ops.run_parameters set legal_entity = '../../株式会社'")
    folder = extract(books.home, "2026-10").folder
    assert folder.relative_to(books.home).parts == ("finance", "------株式会社", "2026-10", "v1")


def test_the_latest_complete_month_has_figures_and_ended(closed_books: Any) -> None:
    connection, _ = open_current(closed_books.home)
    latest = latest_complete(connection)
    assert latest is not None
    assert latest.label == "2026-10"
    connection.close()


def test_a_running_month_waits_for_nothing_and_says_when_it_ends(books: Any) -> None:
    books.publish("update marts.dim_period set waits_for = null")
    with pytest.raises(UsageError, match="2026-11 is still running: it ends on 2026-11-30"):
        extract(books.home, "2026-11")


@pytest.mark.parametrize(
    ("name", "label"), [("FY27-P03", "FY27-P03"), ("2026-10", "FY27-P03"), ("2026-09", "FY27-P02"), ("2026-08", "FY27-P02")]
)
def test_a_fiscal_month_is_asked_for_by_its_label_or_by_the_calendar_month_that_most_of_its_days_are_in(
    books: Any, name: str, label: str
) -> None:
    """P02 runs from 30 August to 26 September, P03 from 27 September to 31 October."""
    books.publish("""
        update marts.dim_period set fiscal_period = 'FY27-P02', start_date = date '2026-08-30', end_date = date '2026-09-26'
        where fiscal_period = '2026-09';
        update marts.dim_period set fiscal_period = 'FY27-P03', start_date = date '2026-09-27' where fiscal_period = '2026-10'""")
    connection, _ = open_current(books.home)
    assert complete_period(connection, name).label == label
    connection.close()


def test_the_files_of_a_fiscal_month_carry_its_label(books: Any) -> None:
    books.publish("update marts.dim_period set fiscal_period = 'FY27/P03' where fiscal_period = '2026-10'")
    folder = extract(books.home, "2026-10").folder
    assert folder.parts[-2:] == ("FY27-P03", "v1")
    assert {path.name.split("_v1")[0] for path in folder.glob("*.csv")} == {"fin_roi_extract_ACME---Söhne_FY27-P03"}


def test_a_month_after_the_latest_extract_that_is_over_says_what_it_waits_for(books: Any) -> None:
    books.publish()
    connection, _ = open_current(books.home)
    assert [line.split(":")[0] for line in over_but_waiting(connection)] == ["no extract of 2026-11"]
    connection.close()


@pytest.mark.parametrize(("start_month", "is_complete"), [(9, True), (1, False)])
def test_a_year_of_which_the_copy_lacks_the_first_months_has_no_sum(books: Any, start_month: int, is_complete: bool) -> None:
    """The books begin in September: with a fiscal year from January, eight months of it are unknown, though no row says so."""
    books.publish(f"update marts.dim_period set is_generated = true; update ops.run_parameters set fiscal_year_start_month = {start_month}")
    sums = {
        row["line_id"]: row["ytd_amount"] for row in read(extract(books.home, "2026-10").folder, "lines") if row["line_kind"] == "detail"
    }
    known = {line for line, total in sums.items() if total is not None}
    assert known >= {"cost.people", "memo.net_revenue"} if is_complete else known == set()


UNKNOWN = """
    delete from marts.fct_cost_line where period_month = date '2026-10-01'; delete from marts.mart_cost_reconciliation
    where period_month = date '2026-10-01'; update analytics.mart_service_roi_account set service_cost_amount = null;
    update analytics.mart_service_roi_month set service_cost_amount = null, service_cost_null_reason = 'source_absent',
        net_benefit_amount = null, null_reason = 'source_absent', roi_ratio = null where period_month = date '2026-10-01'"""


def test_a_month_whose_ledger_never_came_states_no_cost_and_never_nought(books: Any) -> None:
    """September has cost, so the account is known; October has none, so its line and the year's are unknown, not 0.00."""
    books.publish(UNKNOWN)
    rows = read(extract(books.home, "2026-10").folder, "lines")
    people, net = (next(row for row in rows if row["line_id"] == line) for line in ("cost.people", "cost.net"))
    assert [people[f"{name}_amount"] for name in ("reporting", "transaction", "prior_period", "ytd")] == [
        None,
        None,
        Decimal("80.00"),
        None,
    ]
    assert (people["null_reason"], net["reporting_amount"], net["null_reason"]) == ("source_absent", None, "cost.people source_absent")
    (header,) = read(extract(books.home, "2026-10").folder, "header")
    assert header["cost_amount"] is None
    results = {row["check_id"]: (row["result"], row["observed"]) for row in read(extract(books.home, "2026-10").folder, "checks")}
    assert {name for name, found in results.items() if found == ("not_checked", "unknown on both sides")} == {
        "cost_ties_to_reconciliation", "cost_ties_to_roi", "accounts_tie_to_company", "net_benefit_ties",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("known", "check"),
    [
        ("update analytics.mart_service_roi_account set service_cost_amount = 0", "accounts_tie_to_company"),
        (
            "insert into marts.mart_cost_reconciliation values (date '2026-10-01', 'A', 'it', 'P', 0, 0, 0, 0, 0, 0, 0, 0, 'EUR')",
            "cost_ties_to_reconciliation",
        ),
    ],
)
def test_nought_on_one_side_is_not_unknown_on_the_other(books: Any, known: str, check: str) -> None:
    books.publish(f"{UNKNOWN}; {known}")
    with pytest.raises(ChecksFailed, match=check):
        extract(books.home, "2026-10")
