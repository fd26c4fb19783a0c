"""The rules a typed record can break: bounds of a value, what its columns say of each other, its day of delivery.

Holds tests as SQL over a feed's typed columns. It must not cast a text (see `casting`) or run SQL. Each name of a rule is a section
of docs/quarantine.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from zoneinfo import available_timezones

from dagster_project.contracts.currencies import WITH_THREE_DECIMALS, WITHOUT_DECIMALS
from dagster_project.contracts.model import Column, Contract
from dagster_project.ingest.sql_text import literal

TOLERANCE_SECONDS = 2  # clocks of two systems; domain 5.14
FUTURE = "future_instant"
FUTURE_DAYS = 1  # a delivery's day is local and its instants are UTC; what is further ahead is a wrong clock
_FAR_DAYS = 366  # for instants that a source may know a little ahead, such as the end of a contract
_AHEAD_DAYS = 3_660  # for plans, promises and versions of budgets
_AHEAD = ("planned_at", "promised_at", "version_effective_at", "shipped_at")
_BUDGET_MONTHS = 120  # a budget may plan ten years ahead, a ledger may post into the next fiscal year
_LEDGER_MONTHS = 24
_SPARE_DIGITS = 2
_LARGEST_AMOUNT = 10**13  # models convert and sum amounts of this size exactly
_ORDERED = {
    "interactions": (("started_at", "ended_at"), ("queued_at", "answered_at"), ("started_at", "answered_at")),
    "offers": (("offered_at", "accepted_at"),),
    "self_service_sessions": (("started_at", "ended_at"),),
    "tickets": (("created_at", "first_solved_at"), ("created_at", "last_solved_at"), ("created_at", "closed_at")),
}
_UNLESS = {("started_at", "answered_at"): "queued_at"}  # a contact may be counted from its answer: then the queue came before


@dataclass(frozen=True)
class Rule:
    """One way a record can be wrong: `bad_sql` is true for it. Rules with `is_implied` only word what a later rule catches.

    `quick_sql` is an equal and cheaper test for the one-pass SELECT, whose casts raise; it is empty where the cast is test enough.
    `others` are the columns that the test needs besides its own.
    """

    column: str
    rule: str
    bad_sql: str
    detail: str
    is_implied: bool = False
    quick_sql: str | None = None
    others: tuple[str, ...] = ()

    @property
    def quick_test(self) -> str:
        """The test of the one-pass SELECT; empty where something else finds the fault."""
        return "" if self.is_implied else self.bad_sql if self.quick_sql is None else self.quick_sql


def _rules_of_the_type(column: Column) -> list[Rule]:
    """Return that a decimal of 18 digits leaves two of them to sums and products, unless the contract has a bound of its own."""
    if column.precision != 18 or column.maximum is not None:
        return []
    largest = 10 ** (column.precision - (column.scale or 0) - _SPARE_DIGITS)
    test = f"{column.name} > {largest}"
    if column.minimum is None and column.exclusive_minimum is None:
        test += f" or {column.name} < -{largest}"
    return [Rule(column.name, "number_range", test, f"is larger than {largest:,}")]


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
    return rules + _rules_of_the_type(column)


def rules_between_columns(contract: Contract, types: Mapping[str, str]) -> list[Rule]:
    """Return what columns of one record say of each other, where they are there: order, scale, references, rates, amounts, months."""
    rules = []
    for earlier, later in _ORDERED.get(contract.feed, ()):
        if earlier in types and later in types:
            # Adding to an instant is expensive: only where the order is wrong at all, and only `case` keeps to that order.
            bad = f"case when {earlier} > {later} then {earlier} > {later} + interval {TOLERANCE_SECONDS} second else false end"
            if (other := _UNLESS.get((earlier, later))) in types:
                bad += f" and {other} is null"
            rules.append(Rule(later, "order_of_instants", bad, f"is before {earlier}"))
    rules += [
        _of_the_currency(column.name)
        for column in contract.columns
        if column.name.endswith("_amount") and {column.name, "currency_code"} <= types.keys()
    ]
    if "fiscal_period" in types:
        rules.append(Rule("fiscal_period", "fiscal_period", _no_month(), "is no month: of the form YYYY-MM, it ends in 01 to 12"))
    return rules + [rule for rule in _OF_FEEDS.get(contract.feed, ()) if types.keys() >= set(_columns(rule))]


def _of_the_currency(name: str) -> Rule:
    """Return that an amount is a whole number of minor units of its currency: yen have no decimals, euros two, dinars three."""
    odd = f"{name} <> round({name}, 2) and currency_code not in ({', '.join(map(literal, WITH_THREE_DECIMALS))})"
    odd += f" or currency_code in ({', '.join(map(literal, WITHOUT_DECIMALS))}) and {name} <> round({name}, 0)"
    return Rule(name, "decimals", odd, "has more decimals than its currency", others=("currency_code",))


def _no_month() -> str:
    """Return the test for a text like 1999-13. A fiscal year may be named by two years, such as 2019-20."""
    month, next_year = "substr(fiscal_period, 6, 2)", "(try_cast(substr(fiscal_period, 1, 4) as integer) + 1) % 100"
    is_like_a_month = "strlen(fiscal_period) = 7 and array_extract(fiscal_period, 5) = '-'"
    number = f"try_cast({month} as integer)"
    return f"{is_like_a_month} and ({month} > '12' or {month} = '00') and {number} is not null and {number} is distinct from {next_year}"


def _columns(rule: Rule) -> list[str]:
    return [rule.column, *rule.others]


_OF_FEEDS = {
    "business_hours": [
        Rule(
            "time_zone",
            "time_zone",
            f"time_zone not in ({', '.join(map(literal, sorted(available_timezones() - {'localtime'})))})",
            "is no time zone",
        )
    ],
    "fx_rates": [
        Rule(
            "exchange_rate",
            "same_currency",
            "from_currency_code = to_currency_code and exchange_rate <> 1",
            "is the rate of a currency to itself, which is 1",
            others=("from_currency_code", "to_currency_code"),
        )
    ],
    "order_lines": [
        Rule(
            name,
            "number_range",
            f"abs(cast(quantity as decimal(19, 3)) * {name}) > {_LARGEST_AMOUNT}",
            f"times the quantity is above {_LARGEST_AMOUNT:,}",
            others=("quantity",),
        )
        for name in ("unit_price", "unit_cost")
    ],
    "survey_responses": [
        Rule("score", "scale", "score < scale_min or score > scale_max", "is outside its scale"),
    ],
    "tickets": [
        Rule(name, "self_reference", f"{name} = ticket_id", "is the ticket itself", others=("ticket_id",))
        for name in ("merged_into_ticket_id", "follow_up_of_ticket_id")
    ],
}
"""Rules of one feed; `others` are the columns besides the named one that a rule needs."""


def rules_of_the_delivery(contract: Contract, types: Mapping[str, str], day_of: Callable[[str], str | dt.date]) -> list[Rule]:
    """Return that nothing has happened, and nothing is planned too far, after the day of delivery.

    `day_of` a column is a date, or names a column of dates.
    """
    rules = []
    for column in contract.columns:
        name = column.name
        if name not in types:
            continue
        day = day_of(name)
        if column.sql_type == "timestamptz":
            ahead = FUTURE_DAYS if column.not_after_delivery else _AHEAD_DAYS if name in _AHEAD else _FAR_DAYS
            late = f"{name} >= {_later(day, ahead)}"
            how_far = "" if column.not_after_delivery else f"more than {ahead:,} days "
            rules.append(Rule(name, FUTURE, late, f"is {how_far}after the day of delivery{_shown(day)}"))
        if name == "fiscal_period":
            months = _LEDGER_MONTHS if contract.feed == "ledger_actuals" else _BUDGET_MONTHS
            rules.append(_far_month(day, months))
    return rules


def _later(day: str | dt.date, days: int) -> str:
    return f"{day} + {1 + days}" if isinstance(day, str) else f"'{day + dt.timedelta(days=1 + days)}'"


def _shown(day: str | dt.date) -> str:
    return "" if isinstance(day, str) else f" {day}"


def _far_month(day: str | dt.date, months: int) -> Rule:
    """Return that a month of the form YYYY-MM is neither far after the delivery nor before the year 1900."""
    last = _later(day, months * 31)
    last = f"strftime({last}, '%Y-%m')" if isinstance(day, str) else f"{last[:8]}'"
    is_like_a_month = "strlen(fiscal_period) = 7 and array_extract(fiscal_period, 5) = '-' and array_extract(fiscal_period, 1) <= '9'"
    bad = f"(fiscal_period > {last} or fiscal_period < '1900') and {is_like_a_month}"
    return Rule(
        "fiscal_period", "fiscal_period", bad, f"is before 1900 or more than {months} months after the day of delivery{_shown(day)}"
    )
