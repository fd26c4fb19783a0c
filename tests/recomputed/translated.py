"""The demo company's canonical files in another currency and with other books: what companies of the world have and the demo has not."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pandas as pd

Row = dict[str, str]
TIMES = ("talk_seconds", "hold_seconds", "wrap_seconds")


def translate(source: Path, target: Path, code: str, worth: Decimal, decimals: int, change: Callable[[str, Row], Row | None]) -> None:
    """Write every canonical file of `source` again: what is in EUR is in `code`, 1 EUR being `worth` of it, exact to `decimals`.

    Amounts of other currencies stay, rates into EUR become rates into `code`. At last `change` sees each row; None leaves it out.
    """
    files = sorted((source / "canonical").rglob("*.csv"))
    foreign = {row["order_id"] for path in files if path.parts[-3] == "orders" for row in _rows(path) if row["currency_code"] != "EUR"}
    for path in files:
        feed, rows = path.parts[-3], list(_rows(path))
        for row in rows:
            if feed == "fx_rates" and row["to_currency_code"] == "EUR":
                row |= {"to_currency_code": code, "exchange_rate": _worth(row["exchange_rate"], worth, 8)}
            elif (row["order_id"] not in foreign) if feed == "order_lines" else row.get("currency_code") == "EUR":
                row |= {name: _worth(text, worth, decimals) for name, text in row.items() if text and name.endswith("_amount")}
                row |= {name: _worth(row[name], worth, 4) for name in ("unit_price", "unit_cost") if row.get(name)}
                row |= {"currency_code": code} if "currency_code" in row else {}
        kept = [row for row in (change(feed, row) for row in rows) if row is not None]
        _write(target / path.relative_to(source), rows[0].keys() if rows else (), kept)


def _rows(path: Path) -> Iterable[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _write(path: Path, names: Iterable[str], rows: list[Row]) -> None:
    if rows:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(names), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


def _worth(text: str, worth: Decimal, decimals: int) -> str:
    return f"{(Decimal(text) * worth).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP):f}"


def two_entities_with_foreign_books(feed: str, row: Row) -> Row | None:
    """Give billing to a second legal entity, which has posted no people for two months, and pay for tools in USD.

    Give back yen for what was sold in other currencies, about four fifths of it.
    """
    if feed == "refunds" and row["currency_code"] != "JPY":
        row |= {name: _worth(text, Decimal(80), 0) for name, text in row.items() if text and name.endswith("_amount")}
        row["currency_code"] = "JPY"
    if feed in ("ledger_actuals", "budgets"):
        row["legal_entity"] = "SECOND" if row["department_id"] == "billing" else "FIRST"
    if feed == "ledger_actuals" and row["cost_category"] == "it":
        row |= {"currency_code": "USD", "ledger_amount": f"{Decimal(row['ledger_amount']):.2f}"}
    late = feed == "ledger_actuals" and row["legal_entity"] == "SECOND" and row["fiscal_period"][-2:] in ("03", "04")
    return None if late and row["cost_category"] == "people" else row


def nothing_else(feed: str, row: Row) -> Row:
    return row


def work_in_disorder(feed: str, row: Row) -> Row:
    """Lose times and departments, merge tickets, report time on them, answer twice; no contact of the first three months is measured.

    Of a few refunds lose the number of goods that came back, of others the order.
    """
    number = int(row[f"{feed[:-1]}_id"][1:]) if feed in ("tickets", "interactions", "refunds") else 0
    if feed == "refunds":
        row |= {"returned_quantity": ""} if number % 13 == 3 else {"order_id": "ELSEWHERE"} if number % 13 == 8 else {}
    if feed == "survey_responses":
        number = int(row["response_id"][1:])
        row |= {"invitation_id": f"V{number // 2:09}"} if number % 6 < 4 else {"invitation_id": "", "ticket_id": f"ELSEWHERE{number // 40}"}
        row |= {"contact_id": "", "account_id": row["account_id"] if number % 5 else ""}
    if feed == "tickets":
        if row["created_at"] < "2024-11-01":  # nobody's time is known in September, in October only that of spam
            row["handle_seconds"] = row["handle_seconds"] if row["ticket_state"] == "spam" and row["created_at"] >= "2024-10-01" else ""
        elif number % 4 == 0:
            row["handle_seconds"] = "999999" if number % 97 == 0 else str(number % 1000)
        row["is_handle_time_total"] = "true" if number % 8 == 0 else ""
        if number % 6 == 2:
            row |= {"ticket_state": "merged", "merged_into_ticket_id": f"T{number - 11:09}"}
        if number % 13 == 0 and row["created_at"] >= "2024-12-01":
            row |= {"last_solved_at": "", "created_at": f"{pd.Timestamp(row['created_at']) - pd.Timedelta(days=31):%Y-%m-%d %H:%M:%SZ}"}
        row |= {"department_id": ""} if number % 11 == 0 else {}
    if feed == "interactions":
        is_untimed = row["started_at"] < "2024-12-01" or (row["channel"] == "chat" and row["started_at"][:7] == "2025-02")
        row |= dict.fromkeys(TIMES if is_untimed else TIMES[: number % 5], "")
        if row["talk_seconds"] and row["started_at"][5:7] in ("03", "06", "09", "12"):  # whole minutes: equal remainders of unequal times
            row |= {"talk_seconds": str(60 * (int(row["talk_seconds"]) // 60 + 1)), "hold_seconds": "0", "wrap_seconds": "0"}
        if row["talk_seconds"]:
            row["talk_seconds"] = "100000" if number % 101 == 0 else "0" if number % 103 == 0 else row["talk_seconds"]
        row |= {"ticket_id": "ELSEWHERE"} if number % 37 == 0 else {}
        row |= {"department_id": ""} if number % 41 == 0 else {}
    if feed == "ledger_actuals" and row["cost_category"] == "it" and row["fiscal_period"][-2:] == "02":
        row["department_id"] = "nobody"
    return row
