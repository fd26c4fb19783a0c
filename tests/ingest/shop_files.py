"""A small shop: its mapping, its files, and what is asked of what was loaded of it."""

from __future__ import annotations

from typing import Any

YML = """
time_zone: UTC
streams:
  order:
    columns: [id, placed, state]
    optional: [note]
    key: [id]
    deleted: {state: deleted}
    feeds: {orders: {sql: orders.sql, records: true}}
  line:
    columns: [order_id, line_id, item_id, quantity]
    key: [order_id, line_id]
    needs: {order_id: order}
    feeds: {order_lines: {sql: order_lines.sql, records: true}}
  tag:
    columns: [order_id, tag]
    complete_per: order_id
  item:
    columns: [id, cost]
    key: [id]
"""
ORDERS = """
select record_number, id as order_id, placed as ordered_at, 'EUR' as currency_code,
    (select string_agg(tag, '+' order by tag) from tag where tag.order_id = source.id) as order_state
from source
"""
LINES = """
select source.record_number, source.order_id, source.line_id, source.quantity, '1.00' as unit_price,
    (source.quantity::decimal(9, 2))::varchar as net_amount, item.cost as unit_cost
from source left join item on source.item_id = item.id
"""
ORDER = "id,placed,state\n"
LINE = "order_id,line_id,item_id,quantity\n"
FILES = {
    "shop/tag/2026-01-05/a.csv": "order_id,tag\no1,vip\no1,test\no2,new\n",
    "shop/tag/2026-01-06/a.csv": "order_id,tag\no1,late\n",
    "shop/item/2026-01-01/a.csv": "id,cost\ni1,0.10\ni2,0.20\n",
    "shop/item/2026-01-03/a.csv": "id,cost\ni1,0.15\n",
    "shop/order/2026-01-05/a.csv": ORDER + "o1,2026-01-05T10:00:00Z,open\no2,2026-01-05T11:00:00Z,open\no3,2026-01-05T12:00:00Z,open\n",
    "shop/order/2026-01-07/a.csv": ORDER + "o3,2026-01-05T12:00:00Z,deleted\n",
    "shop/line/2026-01-05/a.csv": LINE + "o1,1,i1,1\no1,2,i2,2\no3,1,i1,9\n",
    "shop/line/2026-01-09/a.csv": LINE + "o2,1,i1,1\no1,2,i2,3\n",
}
EXPECTED = (
    [("o1", "late"), ("o2", "new")],
    [("o1", "1", "1.000", "0.1500"), ("o1", "2", "3.000", "0.2000"), ("o2", "1", "1.000", "0.1500")],
)


def deliver_all(shop: Any) -> None:
    for name, content in FILES.items():
        shop.deliver(name, content)


def current_rows(shop: Any, feed: str, key: str, columns: str) -> list[Any]:
    """Rows of the latest change of each key, but those that it takes back."""
    latest = f"qualify row_number() over (partition by {key} order by change_number desc) = 1 order by all"
    return [row[1:] for row in shop.all(f"select is_withdrawn, {key}, {columns} from lake.{feed} {latest}") if not row[0]]


def seen(shop: Any) -> tuple[list[Any], list[Any]]:
    lines = current_rows(shop, "order_lines", "order_id, line_id", "quantity::varchar, unit_cost::varchar")
    return current_rows(shop, "orders", "order_id", "order_state"), lines


def counted(shop: Any) -> list[Any]:
    sql = "select path, physical, loaded, superseded, quarantined, waiting from deliveries where status = 'accepted' order by path"
    rows: list[Any] = shop.ledger.rows(sql)
    return rows


def mapped(shop: Any) -> dict[str, int]:
    """Load what is new; return how many records of each stream were mapped."""
    report = shop.read()
    assert report.refusals == []
    found = dict(report.systems[0].change.mapped)
    shop.ledger.accept(f"run-{shop.runs}")
    report.commit(shop.ledger)
    return {stream: count for stream, count in found.items() if count}
