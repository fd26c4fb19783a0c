"""The canonical files of a company as tables: latest versions, surviving accounts, fiscal months, exchange rates, minor units.

No code of the product is used. The business day is that of UTC.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from pathlib import Path

import pandas as pd

UNKNOWN = "ACCOUNT_UNKNOWN"
KEYS = {
    "accounts": ["account_id"], "account_merges": ["from_account_id", "merged_at"], "contacts": ["contact_id"],
    "budgets": ["budget_version_id", "line_id", "fiscal_period"], "fiscal_periods": ["fiscal_period"],
    "fx_rates": ["rate_date", "from_currency_code", "to_currency_code", "rate_type", "rate_source"],
    "interactions": ["interaction_id"], "ledger_actuals": ["book_id", "journal_id", "line_number"], "order_lines": ["order_id", "line_id"],
    "orders": ["order_id"], "refunds": ["refund_id"], "survey_invitations": ["invitation_id"],
    "survey_responses": ["response_id", "question_key"], "tickets": ["ticket_id"],
}  # fmt: skip
DECIMALS = {"JPY": 0, "KWD": 3}


def minor(amount: Decimal, code: str) -> int:
    """Round to the minor unit of a currency, half away from zero: yen have no decimals, dinars three, others two."""
    return int((amount * 10 ** DECIMALS.get(code, 2)).quantize(Decimal(1), ROUND_HALF_UP))


def rounded(amount: Decimal, code: str) -> Decimal:
    return Decimal(minor(amount, code)).scaleb(-DECIMALS.get(code, 2))


class Delivered:
    """Tables of what was delivered, the latest version of each key; accounts, months and rates as they follow from them."""

    def __init__(self, landing: Path, currency: str = "EUR") -> None:
        self.folder, self.currency = landing / "canonical", currency

    def latest(self, feed: str, *, with_deleted: bool = False) -> pd.DataFrame:
        """Latest version of each key: by `source_updated_at`, day of delivery, name of the file, number of the record."""
        parts = []
        for path in sorted(self.folder.glob(f"{feed}/*/*.csv")):
            part = pd.read_csv(path, dtype=str, keep_default_na=False)
            parts.append(part.assign(_day=path.parent.name, _file=path.name, _record=range(len(part))))
        every = pd.concat(parts, ignore_index=True).sort_values(["source_updated_at", "_day", "_file", "_record"], kind="stable")
        found = every.drop_duplicates(KEYS[feed], keep="last")
        return found if with_deleted or "is_deleted" not in found else found[found["is_deleted"] != "true"]

    def month(self, instants: pd.Series) -> pd.Series:
        """Name the fiscal month of each instant by its first day: a period of the calendar feed, else the calendar month."""
        return instants.str[:10].map(self._month_of_day)

    @cached_property
    def periods(self) -> list[tuple[str, str, str]]:
        table = self.latest("fiscal_periods")
        return sorted(zip(table["start_date"], table["end_date"], table["fiscal_period"], strict=True))

    def _month_of_day(self, day: str) -> str | None:
        return next((start for start, end, _ in self.periods if start <= day <= end), f"{day[:7]}-01") if day else None

    @cached_property
    def _surviving_accounts(self) -> dict[str, str]:
        """Who carries the history of each account: the end of the chain of latest merges; of a circle each one stays itself."""
        listed = set(self.latest("accounts")["account_id"])
        merges = self.latest("account_merges").sort_values("merged_at").drop_duplicates("from_account_id", keep="last")
        into = {one: other for one, other in zip(merges["from_account_id"], merges["to_account_id"], strict=True) if one != other}
        found = {}
        for account in listed | set(into):
            end, seen = account, set[str]()
            while end in into and end not in seen:
                seen.add(end)
                end = into[end]
            if end in listed and end not in seen:
                found[account] = end
            elif account in listed:
                found[account] = account
        return found

    @cached_property
    def _merges(self) -> dict[str, str]:
        """Each ticket with the one it says it was merged into, itself where it says nothing."""
        table = self.latest("tickets", with_deleted=True)
        into = table["merged_into_ticket_id"].where(table["ticket_state"] == "merged", table["ticket_id"])
        return dict(zip(table["ticket_id"], into, strict=True))

    def surviving_ticket(self, ticket: str) -> str:
        """Return the end of the chain of merges; a ticket that is merged in a circle, or into nobody, stays itself."""
        end, seen = ticket, set[str]()
        while end in self._merges and end not in seen and self._merges[end] != end:
            seen.add(end)
            end = self._merges[end]
        return end if end in self._merges and end not in seen else ticket

    def account(self, table: pd.DataFrame) -> pd.Series:
        """Who a row belongs to: its account, else that of its contact, else nobody known."""
        contacts = self.latest("contacts").set_index("contact_id")["account_id"].map(self._surviving_accounts)
        own = table["account_id"].map(self._surviving_accounts)
        return own.fillna(table["contact_id"].map(contacts)).fillna(UNKNOWN)

    @cached_property
    def _rates(self) -> dict[tuple[str, str], Decimal]:
        rates = self.latest("fx_rates")
        rates = rates[(rates["to_currency_code"] == self.currency) & (rates["rate_type"] == "average")].sort_values("rate_date")
        rates = rates.assign(month=rates["rate_date"].str[:7]).drop_duplicates(["from_currency_code", "month"])
        return {(row.from_currency_code, row.month): Decimal(row.exchange_rate) for row in rates.itertuples()}

    def rate(self, code: str, month: str) -> Decimal:
        """Reporting currency per unit in a fiscal month: the mean over its days of the average rate of each day's calendar month."""
        end = next((end for start, end, _ in self.periods if start == month), None)
        days = pd.date_range(month, end) if end else [pd.Timestamp(month)]
        total = sum((self._rates[code, f"{day:%Y-%m}"] for day in days), Decimal(0))
        return (total / len(days)).quantize(Decimal("1e-8"), ROUND_HALF_UP)

    def converted(self, amount: Decimal, code: str, month: str) -> int:
        """Minor units of the reporting currency, by the rate of a fiscal month."""
        return minor(amount if code == self.currency else amount * self.rate(code, month), self.currency)

    def month_of_period(self, period: str) -> str:
        return next((start for start, _, name in self.periods if name == period), f"{period}-01")
