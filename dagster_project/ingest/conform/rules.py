"""The rules a typed record can break: bounds of a value, order of its instants, its day of delivery.

Holds tests as SQL over a feed's typed columns. It must not cast a text (see `casting`) or run SQL. Each name of a rule is a section
of docs/quarantine.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dagster_project.contracts.model import Column, Contract

TOLERANCE_SECONDS = 2  # clocks of two systems; domain 5.14
FUTURE = "future_instant"
FUTURE_DAYS = 1  # a delivery's day is local and its instants are UTC; what lies further ahead is a wrong clock
_ORDERED = {
    "interactions": (("started_at", "ended_at"), ("queued_at", "answered_at")),
    "offers": (("offered_at", "accepted_at"),),
    "self_service_sessions": (("started_at", "ended_at"),),
    "tickets": (("created_at", "first_solved_at"), ("created_at", "last_solved_at"), ("created_at", "closed_at")),
}


@dataclass(frozen=True)
class Rule:
    """One way a record can be wrong: `bad_sql` is true for it. Rules with `is_implied` only word what a later rule catches.

    `quick_sql` is an equal and cheaper test for the one-pass SELECT, whose casts raise; it is empty where the cast is test enough.
    """

    column: str
    rule: str
    bad_sql: str
    detail: str
    is_implied: bool = False
    quick_sql: str | None = None

    @property
    def quick_test(self) -> str:
        """The test of the one-pass SELECT; empty where something else finds the fault."""
        return "" if self.is_implied else self.bad_sql if self.quick_sql is None else self.quick_sql


def rules_of_the_value(column: Column) -> list[Rule]:
    """Return what the contract says of a column's presence and bounds."""
    name, rules = column.name, []
    if column.required and column.default is None:
        rules.append(Rule(name, "required", f"{name} is null", "where a value is required"))
    if column.minimum is not None:
        rules.append(Rule(name, "minimum", f"{name} < {column.minimum}", f"is below {column.minimum}"))
    if column.exclusive_minimum is not None:
        rules.append(Rule(name, "minimum", f"{name} <= {column.exclusive_minimum}", f"is not above {column.exclusive_minimum}"))
    if column.maximum is not None:
        rules.append(Rule(name, "maximum", f"{name} > {column.maximum}", f"is above {column.maximum}"))
    return rules


def rules_between_columns(contract: Contract, types: Mapping[str, str]) -> list[Rule]:
    """Return the order of a record's instants and the scale of an answer, where the columns are there."""
    rules = []
    for earlier, later in _ORDERED.get(contract.feed, ()):
        if earlier in types and later in types:
            # Adding to an instant is dear: only where the order is wrong at all.
            bad = f"{earlier} > {later} and {earlier} > {later} + interval {TOLERANCE_SECONDS} second"
            rules.append(Rule(later, "order_of_instants", bad, f"lies before {earlier}"))
    if contract.feed == "survey_responses" and "score" in types:
        rules.append(Rule("score", "scale", "score < scale_min or score > scale_max", "lies outside its scale"))
    return rules


def rules_of_the_delivery(contract: Contract, types: Mapping[str, str], day_of: Callable[[str], str | dt.date]) -> list[Rule]:
    """Return that nothing has happened after the day on which it was delivered: `day_of` a column is a date, or names a column of dates."""
    rules = []
    for column in contract.columns:
        if column.not_after_delivery and column.name in types:
            day = day_of(column.name)
            if isinstance(day, str):
                latest, shown = f"{day} + {1 + FUTURE_DAYS}", ""
            else:
                latest, shown = f"'{day + dt.timedelta(days=1 + FUTURE_DAYS)}'", f" {day}"
            rules.append(Rule(column.name, FUTURE, f"{column.name} >= {latest}", f"lies after the day of delivery{shown}"))
    return rules
