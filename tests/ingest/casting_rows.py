"""Records cast by the fast and by the slow path, which must agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import pytest
from hypothesis import Phase, settings

from dagster_project.contracts.model import load_contract
from dagster_project.ingest.conform.casting import Casting, casting
from dagster_project.ingest.conform.one_pass import one_pass_sql
from dagster_project.ingest.conform.zones import instant_macro
from dagster_project.ingest.pii.masking import prepare
from dagster_project.ingest.readers.dialect import Dialect

CONNECTION = duckdb.connect()
prepare(CONNECTION)
CONNECTION.execute("set TimeZone = 'UTC'")
CONNECTION.execute(instant_macro())
MANY = 30
"""Records of one statement: planning it takes far longer than running it."""
UNSHRUNK = settings(deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
"""The comparison of the lists names the record; to shrink thirty of them would take minutes."""
Row = dict[str, Any]
GOOD = {
    "refunds": {"refund_id": "r", "order_id": "o", "refunded_at": "2026-01-01T00:00:00Z", "refund_amount": "1.00", "currency_code": "EUR"},
    "payments": {"payment_id": "p", "order_id": "o", "payment_amount": "1.00", "currency_code": "EUR"},
    "tickets": {"ticket_id": "t", "created_at": "2026-01-01T00:00:00Z", "ticket_state": "open", "channel": "email"},
    "interactions": {"interaction_id": "i", "channel": "phone", "started_at": "2026-01-01T00:00:00Z", "outcome": "answered"},
    "offers": {"offer_id": "o", "offer_kind": "save", "offered_at": "2026-01-01T00:00:00Z"},
    "self_service_sessions": {"session_id": "s", "self_service_channel": "bot", "started_at": "2026-01-01T00:00:00Z"},
    "survey_responses": {
        "response_id": "s",
        "question_key": "q",
        "responded_at": "2026-01-01T00:00:00Z",
        "scale_min": "1",
        "scale_max": "5",
    },
    "fx_rates": {
        "rate_date": "2026-01-01",
        "from_currency_code": "EUR",
        "to_currency_code": "USD",
        "rate_type": "average",
        "rate_source": "x",
        "exchange_rate": "1.1",
    },
}


def written_down(feed: str, records: Sequence[Mapping[str, str | None]], zone: str, dialect: Dialect) -> tuple[Casting, list[Row]]:
    """Write the records into table `one`; return the plan and the rows of its listing."""
    full = [{**GOOD[feed], **record} for record in records]
    names = list(full[0])
    plan = casting(load_contract(feed), dict.fromkeys(names, "VARCHAR"), zone=zone, dialect=dialect)
    listed = ", ".join(f"unnest(?::varchar[]) as {name}" for name in names)
    values = [[record[name] for record in full] for name in names]
    CONNECTION.execute(f"create or replace temp table one as select {listed}, unnest(range(?)) as record_number", [*values, len(full)])
    cursor = CONNECTION.execute(f"from ({plan.listing_sql('one')}) order by record_number")
    columns = [entry[0] for entry in cursor.description]
    return plan, [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def cast(
    feed: str, *, zone: str = "UTC", written: dict[str, Any] | None = None, **values: str | None
) -> tuple[str | None, dict[str, object]]:
    """Cast one record and return its first broken rule (or None) and its typed values."""
    plan, (row,) = written_down(feed, [values], zone, Dialect(**(written or {})))
    broken = None if row["broken_rule"] is None else plan.rules[row["broken_rule"]]
    fast = one_pass_sql(plan, "one", is_numbered=True)
    changes = CONNECTION.execute(plan.changes_sql("one")).fetchone() or ()
    if broken or any(changes):
        with pytest.raises((duckdb.InvalidInputException, duckdb.ConversionException)):
            CONNECTION.execute(fast).fetchall()
    else:
        assert len(CONNECTION.execute(fast).fetchall()) == 1, "fast and slow path agree"
    return (None if broken is None else broken.rule), row


def cast_all(feed: str, records: Sequence[Mapping[str, str | None]], *, zone: str = "UTC") -> list[tuple[str | None, Row, bool]]:
    """Cast many records at once; return of each its first broken rule, its typed values and whether the fast path takes it.

    The fast path takes exactly what breaks no rule and no warning counts; what it does not take is counted at least once.
    """
    plan, rows = written_down(feed, records, zone, Dialect())
    fast = one_pass_sql(plan, "one", is_numbered=True)
    assert fast.count("error('reject')") == 1
    marked = fast.replace("error('reject')", "null")
    taken = {number for (number,) in CONNECTION.execute(f"select record_number from ({marked}) where row_hash is not null").fetchall()}
    rules = [None if row["broken_rule"] is None else plan.rules[row["broken_rule"]].rule for row in rows]
    whole = {row["record_number"] for row, rule in zip(rows, rules, strict=True) if rule is None}
    assert taken <= whole, "fast and slow path agree"

    def chosen(numbers: set[int]) -> str:
        return f"(from one where record_number in {(*numbers, -1, -2)})"

    assert len(CONNECTION.execute(one_pass_sql(plan, chosen(taken), is_numbered=True)).fetchall()) == len(taken)
    assert not any(CONNECTION.execute(plan.changes_sql(chosen(taken))).fetchone() or ())
    assert sum(CONNECTION.execute(plan.changes_sql(chosen(whole - taken))).fetchone() or ()) >= len(whole - taken)
    if len(taken) < len(rows):
        with pytest.raises(duckdb.InvalidInputException, match="reject"):
            CONNECTION.execute(fast).fetchall()
    return [(rule, row, row["record_number"] in taken) for rule, row in zip(rules, rows, strict=True)]
