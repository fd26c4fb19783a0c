"""The base of every suite, derived from the feed's contract, and the two ways to write a rule of one's own.

Every expectation carries `meta["rule"]` (its name, unique in the suite) and `notes` (what breaks downstream).
It must not hold a rule that concerns one feed only.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar, Final, Literal

import great_expectations.expectations as gxe
from great_expectations.expectations.expectation import Expectation

from dagster_project.contracts.model import Column, load_contract

Severity = Literal["critical", "warning"]

SYSTEM_COLUMNS: Final = {"batch_id": "varchar", "row_hash": "bigint", "record_number": "bigint"}
"""Columns ingest adds behind those of the contract, with their types."""

RESERVED_ACCOUNTS: Final = ("ACCOUNT_UNKNOWN", "NON_CUSTOMER", "UNALLOCATED", "UNUSED_CAPACITY")
"""Names of the pseudo-accounts that take cost without a customer; no source may use them."""

CLOCK_TOLERANCE: Final = "interval 2 seconds"
"""Skew between the clocks of two systems that is no error (ingest accepts the same)."""

_LONG_NAMES = {"timestamptz": "TIMESTAMP WITH TIME ZONE"}


def row_key(feed: str) -> tuple[str, ...]:
    """Return the columns that name a row to a person: batch, record and the feed's own key; never personal data."""
    return ("batch_id", "record_number", *load_contract(feed).primary_key)


class NoOffendingRows(gxe.UnexpectedRowsExpectation):  # type: ignore[misc]
    """Expect a query over the batch to return nothing, at the cost of one count.

    The library's own class runs the query twice, for its rows and for their number; here a caller that wants the rows asks again.
    """

    metric_dependencies: ClassVar[tuple[str, ...]] = ("unexpected_rows_query.row_count",)

    def _validate(self, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None) -> dict[str, Any]:  # noqa: ARG002
        count = metrics["unexpected_rows_query.row_count"]
        return {"success": count == 0, "result": {"observed_value": count}}


def no_row(feed: str, rule: str, where: str, notes: str, *, severity: Severity = "critical", column: str | None = None) -> Expectation:
    """Expect that no row satisfies the SQL condition `where`; a condition that is null is no offence."""
    query = f"select {', '.join(row_key(feed))} from {{batch}} where {_literal(where)}"
    return no_result(rule, query, notes, severity=severity, column=column)


def no_result(rule: str, query: str, notes: str, *, severity: Severity = "critical", column: str | None = None) -> Expectation:
    """Expect that `query` over `{batch}` returns nothing; use it for what is a property of the batch and not of a row."""
    return NoOffendingRows(unexpected_rows_query=query, severity=severity, notes=notes, meta=_meta(rule, column))


def most_rows_name(columns: tuple[str, ...], *, most: Decimal = Decimal("0.98")) -> Expectation:
    """Expect that at least the share `most` of the rows has a value in one of `columns`; reported, never blocking."""
    return no_result(
        "most_rows_name_a_customer",
        f"select batch_id, round(avg((coalesce({', '.join(columns)}) is null)::int), 4) as nameless_share from {{batch}} "
        f"group by batch_id having avg((coalesce({', '.join(columns)}) is null)::int) > {1 - most}",
        f"rows without {' or '.join(columns)} go to ACCOUNT_UNKNOWN: their cost and value count in company totals but for no customer",
        severity="warning",
        column=columns[0],
    )


def amount_has_currency(feed: str, *amounts: str) -> Expectation:
    """Expect that a row with one of `amounts` names its currency, where the contract lets both be absent; reported, never blocking."""
    return no_row(
        feed,
        "amount_has_a_currency",
        f"greatest({', '.join(amounts)}) > 0 and currency_code is null",
        "an amount without a currency can never be added to anything, so it is missing from cost or value",
        severity="warning",
        column="currency_code",
    )


def validity(feed: str, entity_id: str) -> list[Expectation]:
    """Expect that spans of validity `[valid_from_date, valid_to_date)` have a length and that those of one `entity_id` do not overlap.

    A span without an end is ended by the next one, so only a stated end can reach too far.
    """
    return [
        no_row(
            feed,
            "validity_has_a_length",
            "valid_to_date <= valid_from_date",
            "the row holds on no day, so whatever happened then is judged by no row or by an older one",
            column="valid_to_date",
        ),
        no_result(
            "validities_do_not_overlap",
            f"select {', '.join(row_key(feed))} from (select *, lead(valid_from_date) over "
            f"(partition by batch_id, {entity_id} order by valid_from_date) as next_from_date "
            "from {batch} where is_deleted is distinct from true) as ordered where valid_to_date > next_from_date",
            "a day with two rows in force joins twice, and everything of that day is counted twice",
            column="valid_to_date",
        ),
    ]


def from_contract(feed: str) -> list[Expectation]:
    """Return what the contract alone demands of a batch: columns, types, rows, keys, nulls, closed lists, bounds and patterns."""
    contract = load_contract(feed)
    key = ", ".join(contract.primary_key)
    types = {column.name: column.sql_type for column in contract.columns} | SYSTEM_COLUMNS
    expected = ", ".join(f"('{name}', '{_LONG_NAMES.get(kind, kind.upper())}')" for name, kind in types.items())
    rules = [
        gxe.ExpectTableColumnsToMatchOrderedList(
            column_list=list(types),
            severity="critical",
            notes="models select by name: a missing column stops the build, an extra one was never agreed",
            meta=_meta("columns_match_contract"),
        ),
        no_result(
            "types_match_contract",
            "select described.column_name, described.column_type from (describe select * from {batch}) as described "
            f"join (values {expected}) as agreed(column_name, column_type) using (column_name) "
            "where described.column_type <> agreed.column_type",
            "a money column that became a float no longer sums to the cent; a text instant no longer orders",
        ),
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            severity="warning",
            notes="an empty delivery is a day on which nothing happened, or an export that broke: the figures cannot tell",
            meta=_meta("has_rows"),
        ),
        no_row(
            feed,
            "system_columns_are_present",
            " or ".join(f"{name} is null" for name in SYSTEM_COLUMNS),
            "a row that cannot be traced to its file and record can neither be replaced nor explained to an auditor",
        ),
        no_result(
            "key_is_unique_in_batch",
            f"select batch_id, max(record_number) as record_number, {key} from {{batch}} group by batch_id, {key} having count(*) > 1",
            "two versions of one key in one batch: which one is the latest would depend on chance",
            column=contract.primary_key[0],
        ),
    ]
    for column in contract.columns:
        rules += _column_rules(feed, column)
    if "account_id" in contract.names:
        names = ", ".join(f"'{name}'" for name in RESERVED_ACCOUNTS)
        rules.append(
            no_row(
                feed,
                "account_name_is_not_reserved",
                f"account_id in ({names})",
                "the row would be counted with a pseudo-account and its customer would vanish from every customer figure",
                column="account_id",
            )
        )
    return rules


def _column_rules(feed: str, column: Column) -> list[Expectation]:
    rules: list[Expectation] = []
    if column.required:
        rules.append(
            gxe.ExpectColumnValuesToNotBeNull(
                column=column.name,
                severity="critical",
                notes=f"{column.name} is required: {column.description}; models rely on it without a default",
                meta=_meta(f"{column.name}_is_present"),
            )
        )
    if column.valid_values:
        rules.append(
            gxe.ExpectColumnValuesToBeInSet(
                column=column.name,
                value_set=list(column.valid_values),
                severity="critical",
                notes=f"a {column.name} outside the closed list falls through every case of the models and is counted nowhere",
                meta=_meta(f"{column.name}_is_in_closed_list"),
            )
        )
    if column.minimum is not None or column.exclusive_minimum is not None or column.maximum is not None:
        strict = column.exclusive_minimum is not None
        low = column.exclusive_minimum if strict else column.minimum
        rules.append(
            gxe.ExpectColumnValuesToBeBetween(
                column=column.name,
                min_value=_bound(low),
                max_value=_bound(column.maximum),
                strict_min=strict,
                severity="critical",
                notes=f"{column.name} out of its bounds distorts every sum and mean it enters: {column.description}",
                meta=_meta(f"{column.name}_is_in_range"),
            )
        )
    if column.pattern is not None:
        rules.append(
            no_row(
                feed,
                f"{column.name}_matches_pattern",
                f"not regexp_full_match({column.name}, '{column.pattern}')",
                f"a {column.name} of another form joins to nothing: {column.description}",
                column=column.name,
            )
        )
    return rules


def _bound(value: Decimal | None) -> int | float | None:
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def _literal(sql: str) -> str:
    return sql.replace("{", "{{").replace("}", "}}")


def _meta(rule: str, column: str | None = None) -> dict[str, Any]:
    return {"rule": rule} if column is None else {"rule": rule, "column": column}
