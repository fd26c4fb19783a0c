"""The clean files of a company, picked one fault at a time so that no two faults meet in one file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import NoReturn

from dagster_project.errors import UsageError
from demo_company.draws import Draws
from demo_company.faults.entries import QUARANTINE_RECORDS, QUARANTINE_SHARE, Entry, Outcome

KEYS = {
    "account_merges": ("from_account_id", "merged_at"),
    "accounts": ("account_id",),
    "agent_time": ("agent_id", "work_date", "agent_state"),
    "budgets": ("budget_version_id", "line_id"),
    "contacts": ("contact_id",),
    "fiscal_periods": ("fiscal_period",),
    "fx_rates": ("rate_date", "from_currency_code"),
    "interactions": ("interaction_id",),
    "ledger_actuals": ("journal_id", "line_number"),
    "order_lines": ("order_id", "line_id"),
    "orders": ("order_id",),
    "payments": ("payment_id",),
    "refunds": ("refund_id",),
    "self_service_sessions": ("session_id",),
    "survey_responses": ("response_id", "question_key"),
    "tickets": ("ticket_id",),
}
Row = dict[str, str]


@dataclass
class Table:
    """Header and rows of one file as text."""

    header: list[str]
    rows: list[Row]

    def text(self) -> str:
        """CSV with line feeds; quotes only where a value needs them."""
        out = io.StringIO()
        writer = csv.DictWriter(out, self.header, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        return out.getvalue()


@dataclass(frozen=True)
class Delivery:
    """One file of the clean company."""

    feed: str
    day: str
    path: Path
    records: int


def key(feed: str, row: Row) -> str:
    """Key of a record as truth names it: its parts joined by a slash."""
    return "/".join(row[name] for name in KEYS[feed])


class Landing:
    """Files under `root` (one folder a feed, one a day); a file that a fault took is not picked again."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.fault = ""
        """Name of the fault at work, for what is recorded and for errors."""
        files = sorted(root.glob("*/*/*.csv"))
        self._free = [Delivery(path.parts[-3], path.parts[-2], path, _records(path)) for path in files]
        self.days = sorted({delivery.day for delivery in self._free})
        self.headers = {delivery.feed: self.read(delivery).header for delivery in self._free}
        """Header of every feed that came."""

    def read(self, delivery: Delivery) -> Table:
        """Parse a file of the clean company."""
        with delivery.path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            return Table(list(reader.fieldnames or []), list(reader))

    def free(self, feed: str, *, at_least: int = 1, after: str = "") -> list[Delivery]:
        """Files of a feed that no fault has taken, by day, after a day and with at least so many records."""
        named = [delivery for delivery in self._free if delivery.feed == feed and delivery.day > after]
        found = [delivery for delivery in named if delivery.records >= at_least]
        if not found:
            self.too_small(f"a file of {feed} with {at_least} records that no other fault took" + (f", after {after}" if after else ""))
        return found

    def too_small(self, missing: str) -> NoReturn:
        """Report that the company has no room for the fault.

        Raises
        ------
        UsageError
            Always; names the fault and what it needs.
        """
        raise UsageError(f"fault {self.fault} needs {missing}; remedy: more accounts or months, or fewer faults")

    def one_of(self, rows: list[Row], draws: Draws) -> Row:
        """Draw a row and take it out of the list."""
        if not rows:
            self.too_small("a record of the right kind")
        return rows.pop(drawn(draws, len(rows)))

    def header(self, feed: str) -> list[str]:
        """Columns of a feed."""
        if feed not in self.headers:
            self.too_small(f"a record of {feed}")
        return self.headers[feed]

    def take(self, delivery: Delivery) -> Delivery:
        """Keep a file from being picked again."""
        self._free = [other for other in self._free if other is not delivery]
        return delivery

    def largest(self, feed: str) -> Delivery:
        """Take the largest free file of a feed, where one bad record is the smallest share."""
        return self.take(max(self.free(feed), key=lambda delivery: delivery.records))

    def smallest(self, feed: str, *, at_least: int = 2) -> Delivery:
        """Take the smallest free file of a feed after which the company delivers once more."""
        before_the_end = [delivery for delivery in self.free(feed, at_least=at_least) if delivery.day < self.days[-1]]
        if not before_the_end:
            self.too_small(f"a file of {feed} with {at_least} records before the last day, {self.days[-1]}, that no other fault took")
        return self.take(min(before_the_end, key=lambda delivery: delivery.records))

    def next_day(self, day: str) -> str:
        """Next delivery day of the company; after its last one the day that follows."""
        tomorrow = (date.fromisoformat(day) + timedelta(days=1)).isoformat()
        return min((other for other in self.days if other > day), default=tomorrow)

    def add(self, feed: str, day: str, name: str, content: bytes | str) -> Path:
        """Write one more file of a feed on a day."""
        path = self.root / feed / day / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def add_rows(self, feed: str, day: str, name: str, rows: list[Row]) -> Path:
        """Write one more file of rows; columns that the feed does not have follow its own."""
        header = self.header(feed)
        return self.add(feed, day, name, Table([*header, *(name for name in rows[0] if name not in header)], rows).text())

    def entry(self, feed: str, path: Path, outcome: Outcome, matrix_id: str | None, rule: str, records: Iterable[str] | int) -> Entry:
        """Record what was done to a file: the keys concerned, or how many records where all of them are."""
        named = () if isinstance(records, int) else tuple(records)
        count = records if isinstance(records, int) else len(named)
        return Entry(self.fault, matrix_id, feed, path.parent.name, self._below_landing(path), outcome, rule, count, named)

    def refused(
        self,
        delivery: Delivery,
        spoiled: bytes | str,
        matrix_id: str | None,
        rule: str,
        *,
        name: str | None = None,
        records: Iterable[str] = (),
    ) -> Entry:
        """Put a spoiled file in the place of a clean one, and the clean one into the next delivery."""
        clean = delivery.path.read_bytes()
        delivery.path.unlink()
        path = self.add(delivery.feed, delivery.day, name or delivery.path.name, spoiled)
        again = self.add(delivery.feed, self.next_day(delivery.day), f"{delivery.feed}-redelivered.csv", clean)
        return Entry(
            self.fault, matrix_id, delivery.feed, delivery.day, self._below_landing(path), "refused", rule,
            delivery.records, tuple(records), self._below_landing(again),
        )  # fmt: skip

    def with_bad_record(self, feed: str, draws: Draws, matrix_id: str | None, rule: str, **changes: str | Callable[[Row], str]) -> Entry:
        """Insert a changed copy of a record under a key of its own; a change is a text or made from the record."""
        delivery = self.largest(feed)
        table = self.read(delivery)
        good = table.rows[drawn(draws, len(table.rows))]
        bad = good | {name: change if isinstance(change, str) else change(good) for name, change in changes.items()}
        bad[KEYS[feed][0]] += f"-{self.fault}"
        table.rows.insert(drawn(draws, len(table.rows)), bad)
        return self.spoiled(delivery, table.text(), matrix_id, rule, [key(feed, bad)])

    def spoiled(self, delivery: Delivery, text: str, matrix_id: str | None, rule: str, records: list[str]) -> Entry:
        """Replace a file by one with more, bad records; they are quarantined, or too large a share of it has the file refused."""
        share, of = QUARANTINE_SHARE
        if len(records) > QUARANTINE_RECORDS and len(records) * of > share * (delivery.records + len(records)):
            return self.refused(delivery, text, matrix_id, rule, records=records)
        self.add(delivery.feed, delivery.day, delivery.path.name, text)
        return self.entry(delivery.feed, delivery.path, "quarantined", matrix_id, rule, records)

    def _below_landing(self, path: Path) -> str:
        return f"canonical/{path.relative_to(self.root).as_posix()}"


def drawn(draws: Draws, count: int) -> int:
    """One position of `count`."""
    return int(draws.integers(0, count, 1)[0])


def _records(path: Path) -> int:
    """Count the records of a clean file: no value of the company holds a line end."""
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b"")) - 1
