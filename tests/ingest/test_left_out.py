"""A mapping may leave records out with a reason: they are counted and named, and never mistaken for lost ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ingest.mapping_files import write_system

YML = """
time_zone: UTC
streams:
  movement:
    columns: [id, order_id, kind, amount]
    feeds: {payments: {sql: payments.sql, records: true}, refunds: {sql: refunds.sql, records: true}}
"""
PAYMENTS = """
select record_number, id as payment_id, order_id, amount as payment_amount, 'EUR' as currency_code,
    case kind when 'payout' then 'goes to the bank' when 'refund' then 'is a refund' end as left_out
from source
"""
REFUNDS = """
select record_number, id as refund_id, order_id, '2026-01-05T10:00:00Z' as refunded_at, amount as refund_amount, 'EUR' as currency_code
from source where kind = 'refund'
"""
HEADER = "id,order_id,kind,amount\n"
FILE = "till/movement/2026-01-05/a.csv"
COUNTS = "select status, physical, loaded, superseded, quarantined from deliveries"


@pytest.fixture
def till(make_ingest: Callable[..., Any], tmp_path: Path) -> Any:
    return make_ingest(mappings=write_system(tmp_path / "mappings", "till", YML, payments=PAYMENTS, refunds=REFUNDS))


def test_a_record_left_out_with_a_reason_is_superseded_and_named(till: Any) -> None:
    till.deliver(FILE, HEADER + "1,o1,charge,5.00\n2,,payout,not money\n3,,payout,7.00\n")
    report = till.walk()
    assert report.refusals == []
    assert report.rejections == []
    assert till.ledger.rows(COUNTS) == [("accepted", 3, 1, 2, 0)]
    assert "till/movement: 2 records excluded: goes to the bank" in report.warnings
    assert till.all("select payment_id from lake.payments") == [("1",)]


def test_a_record_that_one_feed_leaves_out_and_another_takes_is_loaded(till: Any) -> None:
    till.deliver(FILE, HEADER + "1,o1,charge,5.00\n2,o1,refund,2.00\n")
    assert till.walk().warnings == []
    assert till.ledger.rows(COUNTS) == [("accepted", 2, 2, 0, 0)]
    assert till.all("select refund_id from lake.refunds") == [("2",)]


def test_a_record_that_one_feed_leaves_out_and_another_refuses_is_quarantined_once(till: Any, tmp_path: Path) -> None:
    good = "".join(f"{number},o1,charge,5.00\n" for number in range(400))
    till.deliver(FILE, HEADER + good + "x,o1,refund,-2.00\n")
    assert till.walk().refusals == []
    assert till.ledger.rows(COUNTS) == [("accepted", 401, 400, 0, 1)]


def test_a_record_without_a_row_and_without_a_reason_is_still_not_mapped(till: Any, tmp_path: Path) -> None:
    (tmp_path / "mappings" / "till" / "payments.sql").write_text(PAYMENTS + "where kind <> 'gift'")
    till.deliver(FILE, HEADER + "1,o1,gift,5.00\n2,,payout,7.00\n")
    (rejection,) = till.walk().rejections
    assert "not_mapped" in rejection
    assert "excluded" not in rejection


def test_a_file_whose_records_are_all_left_out_is_accepted(till: Any) -> None:
    till.deliver(FILE, HEADER + "1,,payout,5.00\n")
    till.walk()
    assert till.ledger.rows(COUNTS) == [("accepted", 1, 0, 1, 0)]
