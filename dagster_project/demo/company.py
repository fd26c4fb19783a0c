"""The simulated company, and the entry that writes its landing files and the truth about it, month by month.

The same arguments give the same bytes on any machine, in any time zone and locale. The files lie in
LANDING/canonical/<feed>/<delivery date>/<feed>.csv; the truth lies beside the landing folder, where the door does not look.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from dagster_project.demo.behaviour import Behaviour
from dagster_project.demo.calendar import Calendar, instant
from dagster_project.demo.feeds import FEEDS, feed_columns
from dagster_project.demo.files import Batch, Column, write_csv
from dagster_project.demo.simulation import Simulation
from dagster_project.demo.tables import TruthTables
from dagster_project.errors import UsageError

END = date(2026, 10, 31)
ACCOUNTS, MONTHS, DAILY, SEED = 400, 14, 10, 7
FORM = 2
"""Version of what this package writes for given arguments; raise it with any change of the bytes."""
Columns = dict[str, dict[str, Column]]


class Writer(Protocol):
    """Lays one delivery of one feed into the landing folder that is being built."""

    def write(self, building: Path, day: date, feed: str, batch: Batch, columns: dict[str, Column]) -> None:
        """Write the rows; `building` becomes LANDING when all deliveries are written."""


class CanonicalWriter:
    """Files as the contracts name them: canonical/<feed>/<day>/<feed>.csv."""

    def write(self, building: Path, day: date, feed: str, batch: Batch, columns: dict[str, Column]) -> None:
        """Write one CSV file."""
        write_csv(building / "canonical" / feed / day.isoformat() / f"{feed}.csv", batch, columns)


def deliveries(
    simulation: Simulation, calendar: Calendar, say: Callable[[int, int], None] | None = None
) -> Iterator[tuple[date, dict[str, Batch]]]:
    """Run the company and yield each delivery: its day and the rows by feed. `say` hears months done and months in all."""
    for month in range(calendar.months):
        simulation.month(month)
        for day in calendar.deliveries(month):
            delivered = {feed: batch for feed, batch in simulation.outbox.deliver(instant(day)).items() if feed in FEEDS}
            simulation.truth.delivered(delivered)
            yield day, delivered
        simulation.month_over(month)
        if say:
            say(month + 1, calendar.months)


def columns_of(simulation: Simulation) -> Columns:
    """Columns of every feed in file order."""
    books = simulation.books
    return feed_columns(books.periods, books.years, books.versions)


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
    writer: Writer | None = None,
    say: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Write the company's files and return its truth; a company that is already there is left alone.

    Parameters
    ----------
    landing
        Landing folder; its systems' folders appear whole or not at all.
    accounts, months, seed
        Size, number of fiscal months up to `end`, and the seed of all draws.
    end, daily
        Last day (the end of a fiscal month); the last `daily` days are delivered one by one, earlier months on the first of the next.
    truth
        File of the truth; `truth.json` beside the landing folder if not given. The truth tables go to the folder `truth` beside it.
    calendar
        Kind of the fiscal calendar, `calendar` or `4-4-5`.
    behaviour
        Parameters of the simulated world.
    writer
        How a delivery becomes files; canonical CSV if not given.
    say
        Hears the months done and the months in all, once a month.

    Raises
    ------
    UsageError
        Sizes or parameters out of range, or the folder already holds other files.
    """
    if accounts < 1 or seed < 0:
        raise UsageError(f"the demo company needs at least 1 account and a seed of 0 or more, not {accounts} and {seed}")
    behaviour = behaviour or Behaviour()
    try:
        behaviour.value_odds()
        dates = Calendar(end, months, daily, calendar)
    except ValueError as error:
        raise UsageError(f"demo company: {error}") from error
    parameters = {"accounts": accounts, "months": months, "seed": seed, "end": end.isoformat(), "daily": daily, "form": FORM}
    parameters = dict(json.loads(json.dumps(parameters | {"calendar": calendar, "behaviour": asdict(behaviour)})))
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
    columns, lay = columns_of(simulation), writer or CanonicalWriter()
    for day, delivered in deliveries(simulation, dates, say):
        for feed, batch in delivered.items():
            lay.write(building, day, feed, batch, columns[feed])
    document = json.dumps({"parameters": parameters} | simulation.document(), indent=1)
    tables.close()
    truth_file.parent.mkdir(parents=True, exist_ok=True)
    truth_file.write_text(document + "\n", encoding="utf-8")
    landing.mkdir(parents=True, exist_ok=True)
    for system in sorted(building.iterdir()):
        system.rename(landing / system.name)
    building.rmdir()
    return dict(json.loads(document))
