"""What must be seen of faults in values and in what happened; importing it registers the proofs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from demo_company.faults.landing import KEYS
from tests.demo.fault_proofs import PROOFS, Company, Proof, shows


def one_value(column: str, *values: str) -> Proof:
    """The named record, a copy under its own key, has one of the values."""

    def proof(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
        (row,) = faulty.named(entry)
        original = row[KEYS[entry["feed"]][0]].rsplit("-", 1)[0]
        known = {other[KEYS[entry["feed"]][0]] for other in clean.original(entry).values()}
        return row[column] in values and original in known and len(faulty.rows(entry["file"])) == len(clean.original(entry)) + 1

    return proof


@shows("decimal_comma")
def writes_commas(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    rows, again = faulty.named(entry), faulty.rows(entry["redelivered_as"])
    return [row["net_amount"].replace(",", ".") for row in rows] == [row["net_amount"] for row in again] and "," in rows[0]["net_amount"]


@shows("excel_ids")
def has_lost_its_ids(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    again = {row["payment_id"] for row in faulty.rows(entry["redelivered_as"])}
    return {row["payment_id"] for row in faulty.named(entry)} == {"2.02611E+17"} and len(again) > 1


PROOFS |= {
    "thousands_separators": one_value("payment_amount", "1.234,56", "1 234.56", "1'234.56"),
    "not_a_number": one_value("net_amount", "NaN", "inf", "N/A"),
    "too_many_decimals": one_value("payment_amount", "12.345"),
    "unknown_code": one_value("order_kind", "barter"),
    "missing_currency": one_value("currency_code", ""),
    "malformed_currency": one_value("currency_code", "€"),
    "future_timestamps": one_value("ordered_at", "2126-01-01 00:00:00Z"),
}


@shows("enum_growth")
def has_a_new_channel(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    (row,) = faulty.named(entry)
    return row.pop("channel") == "hologram" and row.items() <= clean.original(entry)[entry["records"][0]].items()


@shows("negative_amounts")
def has_a_sign(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    column = {"refunds": "refund_amount", "order_lines": "unit_cost", "interactions": "talk_seconds"}[entry["feed"]]
    (row,) = faulty.named(entry)
    return row[column].startswith("-")


@shows("negative_sale")
def sells_for_less_than_nothing(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    ((bad,), (good,)) = faulty.named(entry), faulty.named(entry, "redelivered_as")
    return bad["order_kind"] == "sale" and bad["net_amount"] == "-" + good["net_amount"]


@shows("mixed_currency")
def is_paid_in_another_currency(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    (row,) = faulty.named(entry)
    true = clean.original(entry)[entry["records"][0]]
    known = {"EUR", "GBP", "USD"}
    return (
        row["currency_code"] != true["currency_code"]
        and {row["currency_code"], true["currency_code"]} <= known
        and row["payment_amount"] == true["payment_amount"]
    )


@shows("currency_without_rate")
def is_in_francs(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    order, line = faulty.of("currency_without_rate")
    rates = [row for path in faulty.landing.glob("canonical/fx_rates/*/*.csv") for row in faulty.rows(path)]
    same = faulty.named(order)[0]["order_id"] == faulty.named(line)[0]["order_id"]
    return same and faulty.named(order)[0]["currency_code"] == "CHF" and all(row["from_currency_code"] != "CHF" for row in rates)


@shows("clock_skew")
def has_instants_in_a_wrong_order(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    (row,) = faulty.named(entry)
    at = {name: datetime.fromisoformat(row[name]) for name in ("started_at", "answered_at", "ended_at") if row[name]}
    backwards = (at["started_at"] - min(at.values())).total_seconds()
    return backwards == (1 if entry["outcome"] == "unchanged" else 3_600)


@shows("hostile_names")
def is_hostile(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    column = "account_name" if entry["feed"] == "accounts" else "comment"
    texts = {row[column] for row in faulty.named(entry)}
    signs = ("DROP TABLE", "{{", "{%", "<script>", "=cmd", "../../", "@SUM")
    return len(texts) == entry["count"] and all(any(sign in text for text in texts) for sign in signs)


@shows("orphan_accounts")
def is_known_to_orders_only(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    (account,) = entry["records"]
    rows = [row for path in faulty.landing.glob("canonical/accounts/*/accounts.csv") for row in faulty.rows(path)]
    orders = [row for path in clean.landing.glob("canonical/orders/*/*.csv") for row in clean.rows(path)]
    return account not in {row["account_id"] for row in rows} and account in {row["account_id"] for row in orders}


@shows("merged_accounts")
def is_merged_and_unmerged(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    merged, undone = (faulty.named(part)[0] for part in faulty.of("merged_accounts"))
    return (
        merged["from_account_id"] == undone["from_account_id"] == undone["to_account_id"] != merged["to_account_id"]
        and merged["merged_at"] < undone["merged_at"]
    )


@shows("deleted_tickets")
def is_deleted_or_merged(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    deleted, merged = faulty.named(entry)
    return deleted["is_deleted"] == "true" and merged["merged_into_ticket_id"] not in ("", merged["ticket_id"])


@shows("merge_cycle")
def goes_round(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    one, other = faulty.named(entry)
    return one["merged_into_ticket_id"] == other["ticket_id"] and other["merged_into_ticket_id"] == one["ticket_id"]


@shows("handle_time_outliers")
def talks_for_fifty_hours(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    (row,) = faulty.named(entry)
    return row["talk_seconds"] == "180000" and row["ended_at"] > clean.original(entry)[entry["records"][0]]["ended_at"]


@shows("overlapping_shifts")
def works_more_than_a_day(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    rows = faulty.named(entry)
    return len({(row["agent_id"], row["work_date"]) for row in rows}) == 1 and sum(int(row["state_seconds"]) for row in rows) > 86_400


@shows("dst_nights")
def crosses_the_change_of_clocks(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    (row,) = faulty.named(entry)
    start, end = (datetime.fromisoformat(row[name]) for name in ("started_at", "ended_at"))
    true = clean.original(entry)[entry["records"][0]]
    lasted = datetime.fromisoformat(true["ended_at"]) - datetime.fromisoformat(true["started_at"])
    return (
        start.utcoffset() is not None and end - start == lasted and start.month in (3, 10) and start.weekday() == 6 and start.hour in (1, 2)
    )


@shows("restated_budget")
def is_a_third_version(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    return {(row["budget_version_id"][-3:], row["version_state"]) for row in faulty.named(entry)} == {("-v3", "restated")}
