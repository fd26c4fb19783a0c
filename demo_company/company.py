"""The simulated company, and the entry that writes its landing files and the truth about it, month by month.

The same arguments give the same bytes on any machine, in any time zone and locale. The files are in
LANDING/canonical/<feed>/<delivery date>/<feed>.csv; the truth is next to the landing folder, where ingest does not look.
Faults and exports work on files that are already written: truth speaks of the company, its key `faults` of the files.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from dagster_project.errors import UsageError
from demo_company.behaviour import Behaviour
from demo_company.calendar import Calendar, instant
from demo_company.exports import systems as exports
from demo_company.faults import catalogue
from demo_company.feeds import FEEDS, feed_columns
from demo_company.files import Batch, Column, write_csv
from demo_company.simulation import Simulation
from demo_company.tables import TruthTables

END = date(2026, 10, 31)
ACCOUNTS, MONTHS, DAILY, SEED = 400, 27, 10, 7
FORM = 5
"""Version of what this package writes for given arguments; raise it with any change of the bytes."""
Columns = dict[str, dict[str, Column]]
_EVERY_DAY = ("tickets", "interactions", "orders", "order_lines")
"""Feeds that have a file at each delivery: one with nothing but its header says that nothing happened."""


def deliveries(
    simulation: Simulation, calendar: Calendar, report: Callable[[int, int], None] | None = None
) -> Iterator[tuple[date, dict[str, Batch]]]:
    """Run the company and yield each delivery: its day and the rows by feed. `say` hears months done and months in all."""
    for month in range(calendar.months):
        simulation.month(month)
        for day in calendar.deliveries(month):
            delivered = {feed: batch for feed, batch in simulation.outbox.deliver(instant(day)).items() if feed in FEEDS}
            simulation.truth.delivered(delivered)
            yield day, delivered
        simulation.month_over(month)
        if report:
            report(month + 1, calendar.months)


def columns_of(simulation: Simulation) -> Columns:
    """Columns of every feed in file order."""
    books = simulation.books
    return feed_columns(books.periods, books.years, books.versions)


def _file(landing: Path, feed: str, day: date) -> Path:
    return landing / "canonical" / feed / day.isoformat() / f"{feed}.csv"


def write_company(
    landing: Path,
    accounts: int = ACCOUNTS,
    months: int = MONTHS,
    seed: int = SEED,
    *,
    end: date = END,
    daily: int = DAILY,
    truth: Path | None = None,
    calendar: str = "calendar",
    behaviour: Behaviour | None = None,
    report: Callable[[int, int], None] | None = None,
    faults: tuple[str, ...] = (),
    systems: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Write the company's files and return its truth; a company that is already there is left alone.

    Parameters
    ----------
    landing
        Landing folder; its systems' folders appear completely or not at all.
    accounts, months, seed
        Size, number of fiscal months up to `end`, and the seed of all draws.
    end, daily
        Last day (the end of a fiscal month); the last `daily` days are delivered one by one, earlier months on the first of the next.
    truth
        File of the truth; `truth.json` next to the landing folder if not given. The truth tables go to the folder `truth` next to it.
    calendar
        Kind of the fiscal calendar, `calendar` or `4-4-5`.
    behaviour
        Parameters of the simulated world.
    say
        Hears the months done and the months in all, once a month.
    faults
        Names of faults to do to the files (`all` for every one); truth lists them under `faults`.
    systems
        Systems whose raw exports replace the canonical files of their feeds.

    Raises
    ------
    UsageError
        Sizes or parameters out of range, an unknown fault or system, a company too small for a fault, or a folder that holds other files.
    """
    if accounts < 1 or seed < 0:
        raise UsageError(f"the demo company needs at least 1 account and a seed of 0 or more, not {accounts} and {seed}")
    behaviour = behaviour or Behaviour()
    try:
        behaviour.value_odds()
        dates = Calendar(end, months, daily, calendar)
    except ValueError as error:
        raise UsageError(f"demo company: {error}") from error
    systems = exports.chosen(systems)
    faults = catalogue.chosen(faults, exports.exported_feeds(systems))
    given = {"accounts": accounts, "months": months, "seed": seed, "end": end.isoformat(), "daily": daily, "form": FORM}
    given |= {"calendar": calendar, "behaviour": asdict(behaviour)}
    given |= {name: list(chosen) for name, chosen in (("faults", faults), ("systems", systems)) if chosen}
    parameters = dict(json.loads(json.dumps(given)))
    truth_file = truth or landing.parent / "truth.json"
    known = json.loads(truth_file.read_text(encoding="utf-8")) if truth_file.exists() else {}
    if landing.exists() and any(landing.iterdir()):
        if known.get("parameters") == parameters:
            return dict(known)
        raise UsageError(f"{landing} holds other files than this demo company's; remedy: choose another landing folder, or delete that one")
    building = landing.parent / f".{landing.name}.building"
    shutil.rmtree(building, ignore_errors=True)
    shutil.rmtree(truth_file.parent / "truth", ignore_errors=True)
    tables = TruthTables(truth_file.parent / "truth")
    simulation = Simulation(accounts, dates, seed, behaviour, tables)
    columns = columns_of(simulation)
    for day, delivered in deliveries(simulation, dates, report):
        for feed, batch in delivered.items():
            write_csv(_file(building, feed, day), batch, columns[feed])
        for feed in _EVERY_DAY:
            if feed not in delivered:
                write_csv(_file(building, feed, day), {name: np.array([], np.int64) for name in columns[feed]}, columns[feed])
    document = {"parameters": parameters} | simulation.document()
    tables.close()
    if systems:
        exports.export(building, systems, {feed: list(names) for feed, names in columns.items()})
    if faults:
        document["faults"] = catalogue.inject(building / "canonical", faults, seed)
    text = json.dumps(document, indent=1)
    truth_file.parent.mkdir(parents=True, exist_ok=True)
    truth_file.write_text(text + "\n", encoding="utf-8")
    landing.mkdir(parents=True, exist_ok=True)
    for system in sorted(building.iterdir()):
        system.rename(landing / system.name)
    building.rmdir()
    return dict(json.loads(text))
