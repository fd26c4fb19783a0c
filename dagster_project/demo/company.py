"""Write the landing files of a seeded company, month by month, and the truth about them.

The same arguments give the same bytes on any machine, in any time zone and locale. The files lie in
LANDING/canonical/<feed>/<delivery date>/<feed>.csv; the truth lies beside the landing folder, where the door does not look.
Faults and exports work on files that are already written: truth speaks of the company, its key `faults` of the files.
"""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from dagster_project.demo.books import Books
from dagster_project.demo.calendar import Calendar, instant
from dagster_project.demo.customers import Customers
from dagster_project.demo.draws import Draws, Flags, Integers
from dagster_project.demo.exports import systems as exports
from dagster_project.demo.faults import catalogue
from dagster_project.demo.feeds import feed_columns
from dagster_project.demo.files import NULL, write_csv
from dagster_project.demo.offers import Offers
from dagster_project.demo.outbox import Outbox
from dagster_project.demo.sales import Sales
from dagster_project.demo.service import ServiceDesk
from dagster_project.demo.surveys import Surveys
from dagster_project.demo.truth import Truth
from dagster_project.errors import UsageError

END = date(2026, 10, 31)
ACCOUNTS, MONTHS, DAILY, SEED = 400, 14, 10, 7
FORM = 1
"""Version of what this package writes for given arguments; raise it with any change of the bytes."""


class Company:
    """The simulated company: call `month` for each month in order, then deliver."""

    def __init__(self, accounts: int, calendar: Calendar, seed: int) -> None:
        self._seed, self._calendar = seed, calendar
        self.outbox = Outbox(calendar.cutoffs)
        self._customers = Customers(accounts, calendar, seed)
        self._sales = Sales(self._customers, self.outbox, seed)
        self._desk = ServiceDesk(self._customers, self._sales, self.outbox)
        self._surveys = Surveys(self._customers, self.outbox)
        self._offers = Offers(self._customers, self._sales)
        self.books = Books(calendar, accounts, self.outbox, seed)
        self.truth = Truth(calendar, self.books, accounts)
        self.books.open()
        self._join(-1)

    def month(self, month: int) -> None:
        """Everything that starts in the month; later consequences wait in the outbox."""
        draws = Draws(self._seed, 10, month)
        self._join(month)
        orders = self._sales.month(month, draws)
        desk = self._desk.month(month, orders, draws)
        exposed = self._desk.exposed(month)
        present = self._customers.present(month)
        self._surveys.after_tickets(desk.tickets, draws)
        self._surveys.relationship(month, exposed, draws)
        lost = self._customers.lose(month, exposed, draws)
        self.truth.survived(month, present, exposed, lost)
        self._close(month, lost[draws.chance(len(lost), 2_000)], exposed)
        self._offers.month(month, desk.contacts, draws)
        self.books.month(month, desk.handle_seconds)

    def _join(self, month: int) -> None:
        joined = np.flatnonzero(self._customers.join_month == month)
        start = instant(self._calendar.starts[max(month, 0)])
        at = np.maximum(self._customers.created_at[joined], start)
        nobody = np.zeros(self._customers.count, dtype=np.bool_)
        self.outbox.add("accounts", self._customers.account_rows(joined, np.full(len(joined), NULL, dtype=np.int64), nobody), at)
        contacts = self._customers.contact_rows(joined)
        self.outbox.add("contacts", contacts, np.maximum(self._customers.created_at[contacts["account_id"]], start))

    def _close(self, month: int, accounts: Integers, exposed: Flags) -> None:
        """One lost account in five says so: a second version of its row on the last evening of the month."""
        at = np.full(len(accounts), int(self._calendar.edges[month + 1]) - 3_600, dtype=np.int64)
        self.outbox.add("accounts", self._customers.account_rows(accounts, at, exposed), at)


def write_company(
    landing: Path,
    accounts: int = ACCOUNTS,
    months: int = MONTHS,
    seed: int = SEED,
    *,
    end: date = END,
    daily: int = DAILY,
    truth: Path | None = None,
    faults: tuple[str, ...] = (),
    systems: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Write the company's files and return its truth; a company that is already there is left alone.

    Parameters
    ----------
    landing
        Landing folder; the files go to its folder `canonical`, which appears whole or not at all.
    accounts, months, seed
        Size, number of calendar months up to `end`, and the seed of all draws.
    end, daily
        Last day (the end of a month); the last `daily` days are delivered one by one, earlier months on the first of the next.
    truth
        File of the truth; `truth.json` beside the landing folder if not given.
    faults
        Names of faults to do to the files (`all` for every one); truth lists them under `faults`.
    systems
        Systems whose raw exports replace the canonical files of their feeds.

    Raises
    ------
    UsageError
        Sizes out of range, an unknown fault or system, a company too small for a fault, or a folder that holds other files.
    """
    if accounts < 1 or seed < 0:
        raise UsageError(f"the demo company needs at least 1 account and a seed of 0 or more, not {accounts} and {seed}")
    try:
        calendar = Calendar(end, months, daily)
    except ValueError as error:
        raise UsageError(f"demo company: {error}") from error
    systems = exports.chosen(systems)
    faults = catalogue.chosen(faults, exports.exported_feeds(systems))
    parameters: dict[str, Any] = {
        "accounts": accounts, "months": months, "seed": seed, "end": end.isoformat(), "daily": daily, "form": FORM,
    }  # fmt: skip
    parameters |= {name: list(chosen) for name, chosen in (("faults", faults), ("systems", systems)) if chosen}
    truth_file, target = truth or landing.parent / "truth.json", landing / "canonical"
    for taken in [landing / system for system in systems if (landing / system).exists() and not target.exists()]:
        raise UsageError(f"{taken} exists already; remedy: choose another landing folder")
    if target.exists():
        known = json.loads(truth_file.read_text(encoding="utf-8")) if truth_file.exists() else {}
        if known.get("parameters") == parameters:
            return dict(known)
        raise UsageError(f"{target} holds other files than this demo company's; remedy: choose another landing folder, or delete that one")
    building = landing.parent / f".{landing.name}.building"
    shutil.rmtree(building, ignore_errors=True)
    company = Company(accounts, calendar, seed)
    columns = feed_columns(company.books.periods, company.books.years, company.books.versions)
    for month in range(months):
        company.month(month)
        for day in calendar.deliveries(month):
            delivered = company.outbox.deliver(instant(day))
            company.truth.delivered(delivered)
            for feed, batch in delivered.items():
                write_csv(building / "canonical" / feed / day.isoformat() / f"{feed}.csv", batch, columns[feed])
    document = company.truth.document(parameters)
    if systems:
        exports.export(building, systems, {feed: list(names) for feed, names in columns.items()})
    if faults:
        document["faults"] = catalogue.inject(building / "canonical", faults, seed)
    truth_file.parent.mkdir(parents=True, exist_ok=True)
    truth_file.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    landing.mkdir(parents=True, exist_ok=True)
    for name in (*systems, "canonical"):
        (building / name).rename(landing / name)
    building.rmdir()
    return document
