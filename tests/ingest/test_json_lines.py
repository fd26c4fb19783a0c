"""JSON lines: nested values, lines that are no object, ends in the middle. Breaks: a record vanishes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from dagster_project.ingest.readers import formats
from tests.ingest.conftest import TILL_SQL
from tests.ingest.format_files import OBJECT, deliver, lines, refused, sold


def test_nested_json_stays_text_that_the_sql_of_a_mapping_takes_apart(till: Callable[..., Any]) -> None:
    sql = TILL_SQL.replace("customer as", "customer ->> '$.keys[1]' as")
    ingest = till(sql=sql)
    rows = [
        '{"number": 123456789012345678901, "day": "2026-01-01 00:00:00", "customer": {"keys": ["a", "b\\u00e9"], "n": 1.10}, "net": 1.10}',
        '{"net": 2, "customer": { "keys" : [ 1, 12345678901234567890 ] }, "number": "n,2", "day": "2026-01-01 00:00:00", "other": [{}]}',
    ]
    assert sold(ingest, "\n\n".join(rows), "s.jsonl") == [
        ("123456789012345678901", "bé", "1.10"),
        ("n,2", "12345678901234567890", "2.00"),
    ]


@pytest.mark.fault("F6")
@pytest.mark.parametrize("value", ["1e3", "1.0", "-0.5", "1E+17", "true", "false"])
@pytest.mark.parametrize("name", ["order_id", "account_id"])
def test_a_fraction_or_a_truth_value_names_nothing_and_the_other_records_load(ingest: Any, name: str, value: str) -> None:
    bad = json.dumps({**OBJECT, name: "@"}).replace('"@"', value)
    counts, _ = deliver(ingest, "a.jsonl", lines(*({**OBJECT, "order_id": number} for number in range(400)), bad))
    assert counts == (401, 400, 0, 1)
    ((column, rule, reason),) = ingest.ledger.rows("select column_name, rule, reason from quarantine")
    assert (column, rule) == (name, "identifier_text")
    assert f'column {name}: "{value}" is a ' in reason


def test_a_flag_may_be_a_truth_value_and_a_whole_number_a_name(ingest: Any) -> None:
    assert deliver(ingest, "a.jsonl", lines({**OBJECT, "order_id": 123456789012345678901, "is_test": False, "is_key": True}))[0] == (
        1,
        1,
        0,
        0,
    )
    assert ingest.all("select order_id from lake.orders") == [("123456789012345678901",)]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("[1]", "it is another JSON value"),
        ("7", "it is another JSON value"),
        ("{'a': 1}", "Expecting property name"),
        ('{"order_id": "x", "order_id": "y"}', "key 'order_id' twice"),
        ('{"a": {"b": 1, "b": 2}}', "key 'b' twice"),
        ('{"a": 1} {"a": 2}', "Extra data"),
        ('{"net_amount": NaN}', "NaN is not JSON"),
        ('{"a": "\\ud800"}', "surrogates not allowed"),
        ('{"a": "\\u0000"}', "NUL character"),
        ('{"": 1}', "a key is empty"),
        ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deeply"),
    ],
    ids=lambda text: text[:24],
)
def test_a_line_that_is_no_object_is_quarantined_with_its_line(ingest: Any, line: str, fault: str) -> None:
    good = [{**OBJECT, "order_id": f"o{number}"} for number in range(400)]
    assert deliver(ingest, "a.jsonl", lines(*good[:200], "", line, *good[200:]))[0] == (401, 400, 0, 1)
    ((rule, number, at, reason),) = ingest.ledger.rows("select rule, record_number, line_number, reason from quarantine")
    assert (rule, number, at) == ("json_format", 201, 202)
    assert fault in reason
    assert ingest.all("select max(record_number), count(*) from lake.orders") == [(401, 400)]


@pytest.mark.fault("D4", "D6")
def test_json_lines_that_end_in_the_middle_or_are_empty_are_refused(ingest: Any) -> None:
    whole = lines(OBJECT, OBJECT)
    assert "ends in the middle of record 2 (line 2)" in refused(ingest, "a.jsonl", whole[:-9])
    assert "0 bytes" in refused(ingest, "a.jsonl", b"")
    assert "holds no JSON object" in refused(ingest, "a.jsonl", b"\n\n")
    assert "NUL byte" in refused(ingest, "a.jsonl", b'{"order_id": "\0"}\n')
    assert "not utf-8 at byte 2" in refused(ingest, "a.jsonl", b'{"\xff": 1}\n')
    assert "keys" in refused(ingest, "a.jsonl", lines({f"c{number}": 1 for number in range(formats.COLUMNS + 1)}))
    assert "differs only in capitals" in refused(ingest, "a.jsonl", lines(OBJECT, {**OBJECT, "Order_ID": 1}))
    renamed = {name.replace("currency_code", "currency_cod"): value for name, value in OBJECT.items()}
    assert "required column currency_code is missing; did currency_cod replace it?" in refused(ingest, "a.jsonl", lines(renamed))


def test_a_broken_rule_in_json_names_the_line_and_the_value(ingest: Any) -> None:
    good = [{**OBJECT, "order_id": f"o{number}"} for number in range(400)]
    deliver(ingest, "a.jsonl", lines(*good, "", {**OBJECT, "net_amount": 1.005}))
    assert ingest.ledger.rows("select rule, record_number, line_number, column_name from quarantine") == [
        ("decimals", 401, 402, "net_amount")
    ]
