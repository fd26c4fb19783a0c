"""From text to the contract's types, strictly: the SQL that casts a feed's columns and the rules a record can break.

Holds SQL text made from contracts (identifiers and lists come from there, never from a file). It must not run SQL. Money
with more decimals than the contract is refused, never rounded; infinities and NaN are refused; a local time goes through
the declared zone (a gap shifts forward, an ambiguous time is the earlier instant). An identifier is brought into one form.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from dagster_project.contracts.model import Column, Contract
from dagster_project.engines.lake_files import RECORD_NUMBER
from dagster_project.ingest.conform.rules import Rule, rules_between_columns, rules_of_the_delivery, rules_of_the_value
from dagster_project.ingest.readers.dialect import Dialect
from dagster_project.ingest.sql_text import (
    FALSE_WORDS,
    TRUE_WORDS,
    has_compatibility_form,
    has_impossible_offset,
    has_other_form,
    identifier,
    identifier_form,
    instant,
    literal,
    plain_number,
)

_SHAPED = "hold signs of another width or shape, such as full-width letters, and are other ids than those with plain signs"
_ROUNDED = r"-?\d([.,]\d+)?E\+\d+"
# The engine also reads words such as epoch and infinity: shorter than any date, or outside these years.
_WITHOUT_DIGIT = "not regexp_matches({}, '[0-9]')"  # the words again, where a declared form may be short
_EARLIEST, _LATEST, _SHORTEST = "1900-01-01", "2200-01-01", 10
_OPEN_ENDS = ("valid_to_date", "separation_date")  # many sources write 9999-12-31 for no end


@dataclass
class Casting:
    """Casting of one feed: `inner` expressions (raw and typed), `rules` in order of report, `unknown` list columns and tests.

    `reformed` are the columns of identifiers with the test for one that is brought into its one form; `one_pass` refuses those.
    `written` are the columns that the file brings or the contract has a default for: what is null in every row is not written.
    """

    contract: Contract
    written: list[str] = field(default_factory=list)
    inner: list[str] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    unknown: dict[str, str] = field(default_factory=dict)
    is_dated: bool = False  # the relation has the day of each record, `delivery_date`, and the rows keep it
    reformed: dict[str, str] = field(default_factory=dict)

    @property
    def discarded(self) -> dict[str, str]:
        """Columns whose bad values are excluded by the contract's mode, with the test for one; empty in every other mode."""
        if self.contract.bad_values != "discard_value":
            return {}
        tests: dict[str, list[str]] = defaultdict(list)
        for rule in self.rules:
            column = self.contract.column(rule.column)
            if not rule.is_implied and column.key_position is None and (not column.required or column.default is not None):
                tests[rule.column].append(f"({rule.bad_sql})")
        return {name: " or ".join(listed) for name, listed in tests.items()}

    def lacks(self, *, is_numbered: bool) -> tuple[str, ...]:
        """Return the columns that a file with these rows does not store."""
        absent = [name for name in self.contract.names if name not in self.written]
        return (*absent, *([] if is_numbered else [RECORD_NUMBER]))

    def listing_sql(self, relation: str) -> str:
        """Return the SELECT that keeps every record and adds `broken_rule`, the index of its first broken rule or null."""
        discarded = self.discarded
        whens = " ".join(f"when {rule.bad_sql} then {at}" for at, rule in enumerate(self.rules) if rule.column not in discarded)
        broken = f"case {whens} end" if whens else "null::integer"
        inner = f"(select *, {broken} as broken_rule from ({self.inner_sql(relation, is_numbered=True)}))"
        if discarded:
            kept = ", ".join(
                f"case when {test} then {_literal_default(self.contract.column(name))} else {name} end as {name}"
                for name, test in discarded.items()
            )
            inner = f"(select * replace ({kept}) from {inner})"
        return f"select {self.outer(True)}, {self.row_hash()} as row_hash, broken_rule from {inner}"

    def changes_sql(self, relation: str) -> str:
        """Return the SELECT that counts, per column, the values that are not stored as they were delivered; see `change_messages`."""
        counts = ", ".join(f"count(*) filter (where {test})" for test, _ in self._changes) or "0"
        return f"select {counts} from ({self.inner_sql(relation, is_numbered=False)})"

    def change_messages(self, counts: Sequence[int]) -> list[str]:
        """Word the row of `changes_sql`, one sentence for each column with such values."""
        return [f"{count:,} {words}" for count, (_, words) in zip(counts, self._changes, strict=False) if count]

    @property
    def _changes(self) -> list[tuple[str, str]]:
        unknown = [
            (test, f"values of {name} are outside its list and became {self.contract.column(name).unknown_value}")
            for name, test in self.unknown.items()
        ]
        discarded = [(test, f"values of {name} break its contract and were excluded") for name, test in self.discarded.items()]
        reformed = [(test, f"values of {name} were trimmed or brought into one Unicode form") for name, test in self.reformed.items()]
        shaped = [(has_compatibility_form(name), f"values of {name} {_SHAPED}") for name in self.reformed]
        return [*unknown, *discarded, *reformed, *shaped]

    def row_hash(self) -> str:
        """Return the hash of a row: of all columns of the contract, so that it does not depend on which of them a file brings."""
        values = (name if name in self.written else "null" for name in self.contract.names)
        return f"(hash({', '.join(values)}) >> 1)::bigint"

    def outer(self, is_numbered: bool) -> str:
        """Return the columns that a row is stored with, before its hash."""
        own = ["record_number"] * is_numbered + ["delivery_date"] * self.is_dated
        return ", ".join([*self.written, *own])

    def inner_sql(self, relation: str, is_numbered: bool, inner: Sequence[str] | None = None) -> str:
        """Return the SELECT of the raw and typed columns, or of these expressions in their place."""
        own = ["record_number::bigint as record_number"] * is_numbered + ["delivery_date"] * self.is_dated
        return f"select {', '.join([*(inner or self.inner), *own])} from {relation}"


def casting(
    contract: Contract,
    types: Mapping[str, str],
    *,
    zone: str,
    dialect: Dialect,
    day_of: Callable[[str], str | dt.date] | None = None,
    is_dated: bool = False,
) -> Casting:
    """Build the casting of a feed from the columns that are there (`types`: name to DuckDB type, upper case).

    Absent optional columns become the default or NULL; the caller has refused absent required and
    floating-point ones. What has happened cannot be after the day of delivery, which `day_of` says of each column: a date, or the name
    of the relation's column that holds it; without `day_of` nothing is compared with it.
    """
    plan = Casting(contract, [column.name for column in contract.columns if column.name in types or column.default is not None])
    for column in contract.columns:
        if column.name not in plan.written:
            continue
        if column.name not in types:
            plan.inner.append(f"{_literal_default(column)} as {column.name}")
        elif types[column.name] == "VARCHAR" or column.hashed or column.masked:
            _cast_text(plan, column, zone, dialect)
        else:
            _cast_typed(plan, column, types[column.name], zone)
    plan.is_dated = is_dated
    if day_of is not None:
        plan.rules += rules_of_the_delivery(contract, types, day_of)
    plan.rules += rules_between_columns(contract, types)
    return plan


def _cast_text(plan: Casting, column: Column, zone: str, dialect: Dialect) -> None:
    raw, name, kind = f"r_{column.name}", column.name, column.sql_type
    text = identifier(name)
    rules: list[Rule] = []
    if kind == "varchar":
        if is_identifier(column):
            text = f"{text}::varchar"
            plan.inner.append(f"{has_other_form(text)} as o_{name}")
            plan.reformed[name] = f"o_{name}"
            text = identifier_form(text)
        typed = f"stored_id({text}::varchar)" if column.kind == "key" else text
        if column.hashed or column.masked:
            typed = f"{f'hashed_{column.hashed}' if column.hashed else f'masked_{column.masked}'}({text}::varchar)"
        if column.valid_values:
            known = f"{text} in ({', '.join(map(literal, column.valid_values))})"
            if column.unknown_value is not None and plan.contract.bad_values in ("evolve", "discard_value"):
                typed = f"case when {known} then {text} when {text} is not null then {literal(column.unknown_value)} end"
                plan.unknown[name] = f"{name} <> {raw}"
            else:
                rules.append(
                    Rule(name, "closed_list", f"not ({known.replace(text, raw, 1)})", f"is not one of {', '.join(column.valid_values)}")
                )
        if column.key_position is not None:  # elsewhere it is a name like any other; as a key it makes many records one
            rounded = f"contains({raw}, 'E+') and regexp_full_match({raw}, {literal(_ROUNDED)})"
            rules.append(Rule(name, "identifier_format", rounded, "is a number that a spreadsheet rounded; its digits are lost"))
        if column.pattern is not None:
            rules.append(
                Rule(name, "pattern", f"not regexp_full_match({raw}, {literal(column.pattern)})", f"is not of the form {column.pattern}")
            )
    elif kind == "bigint" or column.scale is not None:
        text = plain_number(text, dialect)
        typed = f"try_cast({text} as {kind})"
        scale = column.scale or 0
        strict = r"-?[0-9]+(\.0+)?" if kind == "bigint" else rf"-?([0-9]+(\.[0-9]{{1,{scale}}}0*)?|\.[0-9]{{1,{scale}}}0*)"
        exact = f"not regexp_full_match({raw}, {literal(strict)})"
        if scale in (0, 3):  # most such values are written as the engine writes whole numbers or cents; comparing is half the price
            exact = f"case when {name}{'::decimal(18,2)' if scale else ''}::varchar = {raw} then false else {exact} end"
        # one character that casts is a digit; only `case` keeps the engine from evaluating all of it
        quick = f"case when strlen({raw}) <= 1 then false else {exact} end" if kind == "bigint" else None
        decimals = f"regexp_full_match({raw}, {literal(r'-?[0-9]*[.][0-9]+')}) and {exact}"
        rules.append(Rule(name, "decimals", decimals, f"has more than {scale} decimals", is_implied=True))
        rules.append(Rule(name, "number_format", exact, f'is not a plain number with decimal sign "{dialect.decimal}"', quick_sql=quick))
        rules.append(Rule(name, "number_range", _failed(column, typed.replace(text, raw)), f"does not fit {kind}", quick_sql=""))
    elif kind == "boolean":
        typed = f"case when lower({text}) in {TRUE_WORDS} then true when lower({text}) in {FALSE_WORDS} then false end"
        rules.append(Rule(name, "boolean_format", _failed(column, typed.replace(text, raw)), "is neither true nor false"))
    elif kind == "date":
        rules.append(_date_rule(name, raw, dialect.date_formats))
        listed = ", ".join(map(literal, dialect.date_formats))
        typed = f"try_strptime({text}, [{listed}])::date" if listed else f"try_cast({text} as date)"
    else:
        typed = instant(text, zone, dialect.timestamp_formats)
        odd = f"strlen({raw}) < {_SHORTEST if not dialect.timestamp_formats else 1} or {name} not between '{_EARLIEST}' and '{_LATEST}'"
        odd += f" or ({_WITHOUT_DIGIT.format(raw)})" if dialect.timestamp_formats else ""
        if not dialect.timestamp_formats or any("%z" in written for written in dialect.timestamp_formats):
            odd += f" or {has_impossible_offset(raw)}"
        rules.append(
            Rule(
                name,
                "instant_format",
                f"{raw} is not null and ({name} is null or {odd})",
                f"is not an instant {_form(dialect.timestamp_formats)}between {_EARLIEST} and {_LATEST}",
                quick_sql=odd,
            )
        )
    if rules or name in plan.unknown:
        plan.inner.append(f"{text} as {raw}")
    plan.inner.append(f"{_with_default(column, typed)} as {name}")
    plan.rules += rules
    plan.rules += rules_of_the_value(column)


def _form(formats: Sequence[str]) -> str:
    return f"of the form {' or '.join(formats)} " if formats else ""


def is_identifier(column: Column) -> bool:
    """Return whether a column names something: records that name it must agree letter by letter."""
    is_name = column.name.endswith("_id") or column.key_position is not None
    return column.sql_type == "varchar" and is_name and not column.valid_values and not column.pattern


def _date_rule(name: str, raw: str, formats: tuple[str, ...]) -> Rule:
    if formats:
        odd = f"{name} not between '{_EARLIEST}' and '{_LATEST}' or ({_WITHOUT_DIGIT.format(raw)})"  # the engine reads year 25 for 2025
        bad = f"{raw} is not null and ({name} is null or {odd})"
        return Rule(name, "date_format", bad, f"is not a date of the form {' or '.join(formats)}", quick_sql=odd)
    form = literal(r"\d{4}-\d\d-\d\d")
    other = f"not regexp_full_match({raw}, {form})"
    span, bounds = f" or {name} not between '{_EARLIEST}' and '{_LATEST}'", f" between {_EARLIEST} and {_LATEST}"
    if name.endswith(_OPEN_ENDS):
        span, bounds = f" or {name} < '{_EARLIEST}'", f" after {_EARLIEST}"
    bad = f"{raw} is not null and ({name} is null or {other}{span})"
    quick = f"({name}::varchar is distinct from {raw} and {other}){span}"
    return Rule(name, "date_format", bad, f"is not a date YYYY-MM-DD{bounds}", quick_sql=quick)


def _cast_typed(plan: Casting, column: Column, found: str, zone: str) -> None:
    raw, name, kind = f"r_{column.name}", column.name, column.sql_type
    text = identifier(name)
    typed = (
        f"earlier_instant({text}, {literal(zone)})"
        if kind == "timestamptz" and found.startswith("TIMESTAMP") and "ZONE" not in found
        else f"try_cast({text} as {kind})"
    )
    plan.inner += [f"{text} as {raw}", f"{_with_default(column, typed)} as {name}"]
    plan.rules.append(Rule(name, "number_range", _failed(column, typed.replace(text, raw)), f"does not fit {kind}"))
    if kind in ("date", "timestamptz") and not name.endswith(_OPEN_ENDS):
        rule, odd = f"{'date' if kind == 'date' else 'instant'}_format", f"{name} not between '{_EARLIEST}' and '{_LATEST}'"
        plan.rules.append(Rule(name, rule, odd, f"is not between {_EARLIEST} and {_LATEST}"))
    if column.scale is not None:
        plan.rules.append(Rule(name, "decimals", f"{raw} <> {name}", f"has more than {column.scale} decimals"))
    if column.valid_values:
        plan.rules.append(
            Rule(name, "closed_list", f"{name} not in ({', '.join(map(literal, column.valid_values))})", "is outside the closed list")
        )
    plan.rules += rules_of_the_value(column)


def _failed(column: Column, typed_raw: str) -> str:
    """Return the test for a cast that failed; a default must not hide the failure, so it is cast once more where there is one."""
    typed = column.name if column.default is None else typed_raw
    return f"r_{column.name} is not null and {typed} is null"


def _literal_default(column: Column) -> str:
    return f"{'null' if column.default is None else literal(column.default)}::{column.sql_type}"


def _with_default(column: Column, typed: str) -> str:
    return typed if column.default is None else f"coalesce({typed}, {literal(column.default)}::{column.sql_type})"
