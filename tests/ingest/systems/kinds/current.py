"""What a system's exports come to: deliveries by day in, the current rows of its feeds out, whatever the order of arrival."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

import pytest

from dagster_project.contracts.model import load_contract
from dagster_project.ingest.lake import accepted_batches
from tests.ingest.systems.commerce import deliver

Rows = list[dict[str, object]]
Day = dict[str, Rows]


@dataclass(frozen=True)
class Case:
    """One instance of a kind: what is delivered on each day, and the rows that each query of a feed shows in the end.

    A key of `right` is `feed: column, column`; its rows are compared as sorted text, numbers without trailing zeros.
    """

    name: str
    days: dict[str, Day]
    right: dict[str, list[tuple[object, ...]]]
    base: Day = field(default_factory=dict)  # delivered on the first day beside its own streams

    @property
    def rows(self) -> dict[str, list[tuple[str, ...]]]:
        """The right rows in the form that `shown` returns."""
        return {query: sorted(tuple(text(value) for value in row) for row in rows) for query, rows in self.right.items()}


ORDERS = ("one go", "day by day", "last day first")


def every(cases: Iterable[Case]) -> Any:
    """Parametrise a test by all cases: one order of arrival for each in turn, every order each night; the law of any order has a test."""
    return pytest.mark.parametrize(
        ("case", "order"),
        [
            pytest.param(case, order, id=f"{case.name}, {order}", marks=[pytest.mark.nightly] * (at != number % 2))
            for number, case in enumerate(cases)
            for at, order in enumerate(ORDERS)
        ],
    )


def shown(ingest: Any, system: str, case: Case, order: str) -> dict[str, list[tuple[str, ...]]]:
    """Deliver the case in an order; return the current rows of each query of `right`."""
    ingest.assumptions = ingest.assumptions.model_copy(update={"reporting_currency_code": "USD", "quarantine_threshold_rate": Decimal(1)})
    first = min(case.days)
    for day in sorted(case.days, reverse=order == "last day first"):
        own = case.days[day]
        base = case.base if day == first else {}
        deliver(ingest, system, day, **{name: [*base.get(name, []), *own.get(name, [])] for name in dict.fromkeys((*base, *own))})
        if order != "one go":
            assert ingest.walk().refusals == []
    if order == "one go":
        assert ingest.walk().refusals == []
    return {query: current(ingest, *query.split(": ")) for query in case.right}


def current(ingest: Any, feed: str, columns: str) -> list[tuple[str, ...]]:
    """Return columns of the rows of a feed that stand: the latest change of each key, unless it is a withdrawal."""
    home, batches = ingest.settings.home, [batch for batch in accepted_batches(ingest.ledger) if batch.feed == feed]
    if not batches:
        return []
    keys = ", ".join(load_contract(feed).primary_key)
    parts = [f"select *, {batch.change_number} as change_number, false as is_withdrawn from '{home / batch.path}'" for batch in batches]
    parts += [
        f"select {keys}, {batch.change_number} as change_number, true as is_withdrawn from '{home / batch.withdrawn_path}'"
        for batch in batches
        if batch.withdrawn_path
    ]
    known = " union all by name ".join([f"(from lake.{feed} limit 0)", *parts])  # a batch may lack columns
    rows = ingest.all(
        f"select {columns} from (select *, row_number() over (partition by {keys} order by change_number desc) as place from"
        f" ({known})) where place = 1 and not is_withdrawn"
    )
    return sorted(tuple(text(value) for value in row) for row in rows)


def text(value: object) -> str:
    """Return a value as text, numbers without trailing zeros."""
    try:
        return f"{Decimal(str(value)).normalize():f}"
    except InvalidOperation:
        return str(value)
