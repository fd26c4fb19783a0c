"""The worked example of docs/decisions/0027-source-tables.md, step by step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.ingest.mapping_files import write_system

YML = """
time_zone: UTC
streams:
  invoice:
    columns: [id, posted, is_deleted]
    key: [id]
    deleted: {is_deleted: true}
    feeds: {orders: {sql: orders.sql, records: true}}
  line:
    columns: [invoice_id, number, net]
    key: [invoice_id, number]
    complete_per: invoice_id
    complete_with: invoice
    needs: {invoice_id: invoice}
    feeds: {order_lines: {sql: order_lines.sql, records: true}}
"""
ORDERS = "select record_number, id as order_id, posted as ordered_at, 'EUR' as currency_code from source"
LINES = """
select record_number, invoice_id as order_id, number as line_id, '1' as quantity, net as unit_price, net as net_amount from source
"""
CURRENT = """
select order_id, line_id, net_amount::decimal(18, 2)::varchar
from (from lake.order_lines qualify row_number() over (partition by order_id, line_id order by change_number desc) = 1)
where not is_withdrawn
order by all
"""


def test_lines_follow_their_invoice_whatever_comes_when(make_ingest: Callable[..., Any], tmp_path: Path) -> None:
    ingest = make_ingest(mappings=write_system(tmp_path / "mappings", "books", YML, orders=ORDERS, order_lines=LINES))

    def deliver(stream: str, day: str, *rows: str) -> None:
        header = {"invoice": "id,posted,is_deleted", "line": "invoice_id,number,net"}[stream]
        ingest.deliver(f"books/{stream}/{day}/a.csv", "\n".join([header, *rows, ""]))

    deliver("line", "2026-03-01", "i1,1,60.00", "i1,2,40.00")
    report = ingest.walk()
    assert ingest.all(CURRENT) == []
    assert "books/line: 2 records wait for their invoice, the oldest since 2026-03-01" in report.notices

    deliver("invoice", "2026-03-01", "i1,2026-03-01,false")
    ingest.walk()
    assert ingest.all(CURRENT) == [("i1", "1", "60.00"), ("i1", "2", "40.00")]

    deliver("invoice", "2026-03-03", "i1,2026-03-01,false")
    deliver("line", "2026-03-03", "i1,1,50.00")
    report = ingest.walk()
    assert (report.rows["order_lines"], report.withdrawn["order_lines"]) == (1, 1)
    assert ingest.all(CURRENT) == [("i1", "1", "50.00")]

    deliver("line", "2026-03-02", "i1,1,70.00")
    report = ingest.walk()
    assert (report.rows["order_lines"], report.withdrawn["order_lines"]) == (0, 0)
    assert ingest.all(CURRENT) == [("i1", "1", "50.00")]

    deliver("invoice", "2026-03-09", "i1,2026-03-01,true")
    report = ingest.walk()
    assert report.withdrawn["order_lines"] == 1
    assert ingest.all(CURRENT) == []
    states = "select path, loaded, superseded, waiting from deliveries where stream = 'line' order by 1"
    assert ingest.ledger.rows(states) == [
        ("books/line/2026-03-01/a.csv", 0, 2, 0), ("books/line/2026-03-02/a.csv", 0, 1, 0), ("books/line/2026-03-03/a.csv", 0, 1, 0),
    ]  # fmt: skip
