"""Canonical CSV files as frames: the latest version of each record, account resolved, months, money in whole cents.

Money is read as floats and rounded to cents at once, which is exact below 90 trillion; from there on it is int64.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.dataset as pa_dataset

INSTANT, TEXT, NUMBER, FLAG = pa.timestamp("s", "UTC"), pa.string(), pa.float64(), pa.bool_()
PSEUDO = ("ACCOUNT_UNKNOWN", "NON_CUSTOMER")
RATE = 100_000_000
"""A rate of exchange in whole units of its eighth decimal."""


def read(landing: Path, feed: str, keys: list[str], **columns: pa.DataType) -> pd.DataFrame:
    """Read the columns of a feed from all its files and keep the latest version of each key."""
    files = sorted(str(file) for file in (landing / "canonical" / feed).glob("*/*.csv"))
    types = {**dict.fromkeys(keys, TEXT), **columns, "source_updated_at": INSTANT}
    options = pa_csv.ConvertOptions(column_types=types, strings_can_be_null=True, quoted_strings_can_be_null=False)
    table = pa_dataset.dataset(files, format=pa_dataset.CsvFileFormat(convert_options=options)).to_table(columns=list(types))
    frame = table.to_pandas()
    repeated = frame.duplicated(keys, keep=False)
    latest = frame[repeated].sort_values("source_updated_at", kind="stable").drop_duplicates(keys, keep="last")
    return pd.concat([frame[~repeated], latest], ignore_index=True).drop(columns="source_updated_at")


def cents(amounts: pd.Series) -> pd.Series:
    """Whole cents of amounts with two decimals."""
    return (amounts * 100).round().astype("int64")


def half_up(numbers: pd.Series, divisor: int) -> pd.Series:
    """Whole quotient of whole numbers, half away from zero."""
    return np.sign(numbers) * ((numbers.abs() + divisor // 2) // divisor)


def month(instants: pd.Series) -> pd.Series:
    """First day of the month in UTC."""
    return instants.dt.tz_convert(None).astype("datetime64[s]").to_numpy().astype("datetime64[M]").astype("datetime64[s]")


@dataclass
class Facts:
    """Facts of the company. Accounts and tickets are positions in `account_ids` and `tickets`; -1 is none."""

    accounts: pd.DataFrame
    account_ids: pd.Index
    periods: pd.DataFrame
    orders: pd.DataFrame
    lines: pd.DataFrame
    refunds: pd.DataFrame
    payments: pd.DataFrame
    tickets: pd.DataFrame
    interactions: pd.DataFrame
    surveys: pd.DataFrame
    costs: pd.DataFrame
    as_of: pd.Timestamp


class Reader:
    """Reads feed after feed and resolves who each record is about."""

    def __init__(self, landing: Path) -> None:
        self.landing = landing
        self.accounts = read(
            landing,
            "accounts",
            ["account_id"],
            account_kind=TEXT,
            lifecycle_state=TEXT,
            segment=TEXT,
            country_code=TEXT,
            created_at=INSTANT,
        )
        self.account_ids = pd.Index(self.accounts["account_id"]).append(pd.Index(PSEUDO))
        self.unknown, self.nobody = len(self.accounts), len(self.accounts) + 1
        contacts = read(landing, "contacts", ["contact_id"], account_id=TEXT)
        self.contact_ids = pd.Index(contacts["contact_id"])
        of_contact = self.account_ids.get_indexer(contacts["account_id"])
        self.of_contact = np.append(np.where(of_contact < 0, self.unknown, of_contact), -1)
        rates = read(
            landing, "fx_rates", ["rate_date", "from_currency_code", "to_currency_code", "rate_type", "rate_source"], exchange_rate=NUMBER
        )
        rates = rates[(rates["rate_type"] == "average") & (rates["to_currency_code"] == "EUR")]
        months = rates["rate_date"].to_numpy(dtype="datetime64[M]").astype("datetime64[s]")
        self.rates = pd.Series(
            (rates["exchange_rate"] * RATE).round().astype("int64").to_numpy(),
            pd.MultiIndex.from_arrays([rates["from_currency_code"], months]),
        )

    def account(self, frame: pd.DataFrame, fallback: np.ndarray | None = None) -> np.ndarray:
        """Position of the account: its own, else its contact's, else the fallback's, else unknown."""
        found = self.account_ids.get_indexer(frame["account_id"])
        found = np.where(found < 0, self.of_contact[self.contact_ids.get_indexer(frame["contact_id"])], found)
        if fallback is not None:
            found = np.where(found < 0, fallback, found)
        return np.where(found < 0, self.unknown, found)

    def rate(self, currency: pd.Series, months: np.ndarray) -> np.ndarray:
        """Rate to the reporting currency, in units of the eighth decimal."""
        own = currency.to_numpy() == "EUR"
        found = np.full(len(currency), RATE, dtype="int64")
        found[~own] = self.rates.reindex(pd.MultiIndex.from_arrays([currency[~own], months[~own]])).to_numpy()
        return found


def read_facts(landing: Path) -> Facts:
    """Read every feed the script needs."""
    reader = Reader(landing)
    orders = read(
        landing, "orders", ["order_id"], account_id=TEXT, contact_id=TEXT, order_kind=TEXT, ordered_at=INSTANT, currency_code=TEXT,
        cancelled_at=INSTANT, is_test=FLAG, offer_id=TEXT, interaction_id=TEXT,
    )  # fmt: skip
    orders["account"], orders["month"] = reader.account(orders), month(orders["ordered_at"])
    orders["is_counted"] = ~orders["is_test"] & orders["cancelled_at"].isna()
    orders["rate"] = reader.rate(orders["currency_code"], orders["month"].to_numpy())
    of_order = pd.Index(orders["order_id"])

    lines = read(
        landing, "order_lines", ["order_id", "line_id"], quantity=NUMBER, unit_price=NUMBER, net_amount=NUMBER, unit_cost=NUMBER
    )  # fmt: skip
    lines["order"] = of_order.get_indexer(lines["order_id"])
    for name in ("account", "month", "order_kind", "is_counted", "rate", "ordered_at"):
        lines[name] = orders[name].take(lines["order"]).array
    lines["is_counted"] &= lines["order"] >= 0
    lines["net"] = half_up(cents(lines["net_amount"]) * lines["rate"], RATE)
    quantity, unit_cost = (lines["quantity"] * 1_000).round().astype("int64"), (lines["unit_cost"] * 10_000).round().astype("int64")
    lines["margin"] = lines["net"] - half_up(half_up(unit_cost * quantity, 100_000) * lines["rate"], RATE)
    lines["is_gross_sale"] = (lines["order_kind"] == "sale") & (lines["quantity"] > 0) & (lines["unit_price"] > 0)

    refunds = read(
        landing, "refunds", ["refund_id"], order_id=TEXT, line_id=TEXT, refunded_at=INSTANT, refund_amount=NUMBER, currency_code=TEXT,
        returned_quantity=NUMBER, is_restocked=FLAG,
    )  # fmt: skip
    refunds["order"], refunds["month"] = of_order.get_indexer(refunds["order_id"]), month(refunds["refunded_at"])
    refunds["account"], refunds["is_counted"] = (orders[name].take(refunds["order"]).array for name in ("account", "is_counted"))
    rate = reader.rate(refunds["currency_code"], orders["month"].take(refunds["order"]).to_numpy())  # that of the order
    refunds["refund"] = half_up(cents(refunds["refund_amount"]) * rate, RATE)
    refunds = refunds.merge(lines[["order_id", "line_id", "unit_cost"]], on=["order_id", "line_id"], how="left")
    returned = (refunds["returned_quantity"] * 1_000).round() * (refunds["unit_cost"] * 10_000).round()
    recovered = half_up(half_up(returned.fillna(0).astype("int64"), 100_000) * rate, RATE)
    refunds["recovered"] = recovered.where(refunds["is_restocked"].astype("boolean").fillna(False).astype(bool), 0)

    payments = read(landing, "payments", ["payment_id"], order_id=TEXT, paid_at=INSTANT, payment_amount=NUMBER, currency_code=TEXT)
    payments["order"], payments["month"] = of_order.get_indexer(payments["order_id"]), month(payments["paid_at"])
    payments["account"], payments["is_counted"] = (orders[name].take(payments["order"]).array for name in ("account", "is_counted"))
    payments["payment"] = half_up(
        cents(payments["payment_amount"]) * reader.rate(payments["currency_code"], payments["month"].to_numpy()), RATE
    )

    tickets, interactions = _service(reader)
    surveys = read(
        landing, "survey_responses", ["response_id", "question_key"], account_id=TEXT, contact_id=TEXT, ticket_id=TEXT, survey_metric=TEXT,
        score=NUMBER, responded_at=INSTANT,
    )  # fmt: skip
    of_ticket = np.append(tickets["account"].to_numpy(), -1)[pd.Index(tickets["ticket_id"]).get_indexer(surveys["ticket_id"])]
    surveys["account"], surveys["month"] = reader.account(surveys, of_ticket), month(surveys["responded_at"])
    periods = read(landing, "fiscal_periods", ["fiscal_period"], start_date=TEXT, end_date=TEXT)
    costs = read(
        landing, "ledger_actuals", ["journal_id", "line_number", "book_id"], department_id=TEXT, fiscal_period=TEXT, cost_category=TEXT,
        pool_id=TEXT, ledger_amount=NUMBER, is_in_scope=FLAG, posted_at=INSTANT,
    )  # fmt: skip
    costs["amount"] = cents(costs["ledger_amount"])
    costs["month"] = costs["fiscal_period"].to_numpy(dtype="datetime64[M]").astype("datetime64[s]")
    instants = (
        tickets["created_at"], interactions["started_at"], orders["ordered_at"], refunds["refunded_at"], surveys["responded_at"],
        costs["posted_at"],
    )  # fmt: skip
    as_of = max(column.max() for column in instants).tz_convert(None).normalize()
    return Facts(
        reader.accounts, reader.account_ids, periods, orders, lines, refunds, payments, tickets, interactions, surveys, costs, as_of
    )  # fmt: skip


def _service(reader: Reader) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tickets sorted by id, with the ticket each was merged into at last, and interactions sorted by id."""
    tickets = read(
        reader.landing, "tickets", ["ticket_id"], account_id=TEXT, contact_id=TEXT, created_at=INSTANT, last_solved_at=INSTANT,
        ticket_state=TEXT, merged_into_ticket_id=TEXT, channel=TEXT, department_id=TEXT, is_complaint=FLAG, handle_seconds=NUMBER,
    ).sort_values("ticket_id", ignore_index=True)  # fmt: skip
    of_ticket, own = pd.Index(tickets["ticket_id"]), np.arange(len(tickets))
    into = of_ticket.get_indexer(tickets["merged_into_ticket_id"])
    surviving = np.where((tickets["ticket_state"] == "merged") & (into >= 0), into, own)
    while (surviving[surviving] != surviving).any():
        surviving = surviving[surviving]
    tickets["surviving"] = surviving
    is_spam = tickets["ticket_state"].to_numpy() == "spam"
    tickets["account"] = np.where(is_spam, reader.nobody, reader.account(tickets))
    tickets["month"], tickets["solved_month"] = month(tickets["created_at"]), month(tickets["last_solved_at"])
    tickets["work_month"] = tickets["solved_month"].fillna(tickets["month"])

    interactions = read(
        reader.landing, "interactions", ["interaction_id"], ticket_id=TEXT, account_id=TEXT, contact_id=TEXT, channel=TEXT,
        started_at=INSTANT, outcome=TEXT, talk_seconds=NUMBER, hold_seconds=NUMBER, wrap_seconds=NUMBER, concurrency=NUMBER,
        department_id=TEXT,
    ).sort_values("interaction_id", ignore_index=True)  # fmt: skip
    ticket = of_ticket.get_indexer(interactions["ticket_id"])
    interactions["ticket"] = np.where(ticket < 0, -1, surviving[ticket])
    resolved = reader.account(interactions, np.append(tickets["account"].to_numpy(), -1)[ticket])
    interactions["account"] = np.where(np.append(is_spam, False)[ticket], reader.nobody, resolved)
    interactions["month"] = month(interactions["started_at"])
    interactions["is_handled"] = (interactions["outcome"] == "answered") | (interactions["talk_seconds"] > 0)
    spent = interactions[["talk_seconds", "hold_seconds", "wrap_seconds"]].sum(axis=1, min_count=1)
    interactions["handle_seconds"] = np.floor(spent / interactions["concurrency"].fillna(1))
    return tickets, interactions
