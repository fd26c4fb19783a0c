"""One fetch: the source's reader fills loads, each is committed with the state that the next one starts from.

Holds what is common to the kinds. It must not speak a protocol. The libraries of the extra `connectors` are imported here, when
the first fetch needs them.
"""

from __future__ import annotations

import copy
import datetime as dt
import time
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from typing import Protocol

from dagster_project.connectors.journals import free_number, holding, last_journal
from dagster_project.connectors.loads import Load
from dagster_project.connectors.sources import Database, Objects, Source, find_source
from dagster_project.errors import UsageError
from dagster_project.settings import Settings


class Reader(Protocol):
    """Reads one kind of source."""

    def read(self, load: Load) -> bool:
        """Fill a load; returns False when another has to follow."""


def fetch(
    settings: Settings,
    name: str,
    *,
    now: dt.datetime | None = None,
    sleep: Callable[[float], None] | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> dict[str, int]:
    """Deliver what is new at a source into the landing folder; returns the rows of each stream (objects count as one).

    The delivery day is the UTC day of `now`. A fetch that fails or is killed delivers nothing of the load it was at, and the next one
    begins where the last committed load ended.

    Raises
    ------
    ServiceRoiError
        With the exit code of the kind of failure; see the readers.
    """
    source = find_source(settings, name)
    instant = now or dt.datetime.now(dt.UTC)

    def wait(seconds: float) -> None:
        report(f"{name} asks to wait {seconds:.0f} s")
        (sleep or time.sleep)(seconds)

    reader = _reader(source, instant, wait)
    delivered: Counter[str] = Counter()
    with holding(settings.landing, name, source.system):
        has_ended = False
        while not has_ended:
            last = last_journal(settings.landing, name) or {"number": 0, "state": {}}
            number = free_number(settings.landing, name, source.system, last["number"])
            load = Load(settings.landing, name, source.system, instant.astimezone(dt.UTC).date(), number, copy.deepcopy(last["state"]))
            has_ended = reader.read(load)
            if load.commit(last["state"]):
                delivered.update(load.counts())
                report(f"load {number} of {name}: {_counts_of(load.counts())}")
    return dict(delivered)


def _counts_of(counted: Counter[str]) -> str:
    return ", ".join(f"{stream} {rows:,}" for stream, rows in sorted(counted.items())) or "a new position"


def _reader(source: Source, now: dt.datetime, sleep: Callable[[float], None]) -> Reader:
    kind = "database" if isinstance(source, Database) else "objects" if isinstance(source, Objects) else "rest"
    try:
        module = import_module(f"dagster_project.connectors.{kind}")
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name} is not installed; remedy: the extra `connectors`, uv sync --extra connectors") from error
    if isinstance(source, Database):
        reader: Reader = module.DatabaseReader(source, now)
    elif isinstance(source, Objects):
        reader = module.ObjectReader(source)
    else:
        reader = module.RestReader(source, now, sleep)
    return reader
