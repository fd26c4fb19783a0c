"""SELECTs that look at other streams of their system: what they see depends on the landing folder alone."""

from __future__ import annotations

import itertools
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dagster_project.errors import UsageError
from tests.ingest.mapping_files import write_system

YML = """
time_zone: UTC
streams:
  order:
    columns: [id, placed]
    optional: [note]
    feeds: {orders: {sql: orders.sql, records: true}}
    beside: [tag]
  line:
    columns: [order_id, line_id, item_id, quantity]
    feeds: {order_lines: {sql: order_lines.sql, records: true}}
    beside: [item, order]
  tag:
    columns: [order_id, tag]
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
FILES = {
    "shop/tag/2026-01-05/a.csv": "order_id,tag\no1,vip\no1,test\n",
    "shop/tag/2026-01-06/a.csv": "order_id,tag\no1,late\n",
    "shop/item/2026-01-01/a.csv": "id,cost\ni1,0.10\ni2,0.20\n",
    "shop/item/2026-01-03/a.csv": "id,cost\ni1,0.15\n",
    "shop/item/2026-01-09/a.csv": "id,cost\ni1,0.99\n",
    "shop/order/2026-01-05/a.csv": "id,placed\no1,2026-01-05T10:00:00Z\no2,2026-01-05T11:00:00Z\n",
    "shop/line/2026-01-05/a.csv": "order_id,line_id,item_id,quantity\no1,1,i1,1\no1,2,i2,2\n",
    "shop/line/2026-01-09/a.csv": "order_id,line_id,item_id,quantity\no2,1,i1,1\n",
}
SEEN = "select order_id, order_state from lake.orders order by 1"
COSTS = "select order_id, line_id, unit_cost::varchar from lake.order_lines order by all"
EXPECTED = (
    [("o1", "test+vip"), ("o2", None)],
    [("o1", "1", "0.1500"), ("o1", "2", "0.2000"), ("o2", "1", "0.9900")],
)


@pytest.fixture
def shop(make_door: Callable[..., Any], tmp_path: Path) -> Any:
    return make_door(mappings=write_system(tmp_path / "mappings", "shop", YML, orders=ORDERS, order_lines=LINES))


def seen(door: Any) -> tuple[list[Any], list[Any]]:
    return door.all(SEEN), door.all(COSTS)


def test_a_child_table_shows_the_same_day_and_a_keyed_one_its_latest_rows_up_to_that_day(shop: Any) -> None:
    for name, content in FILES.items():
        shop.deliver(name, content)
    assert shop.walk().refusals == []
    assert seen(shop) == EXPECTED


@pytest.mark.fault("D3")
@pytest.mark.parametrize("order", [*itertools.islice(itertools.permutations(FILES), 0, 40_320, 5_779)], ids=itertools.count())
def test_one_by_one_in_any_order_ends_where_one_load_ends(shop: Any, order: tuple[str, ...]) -> None:
    for name in order:
        shop.deliver(name, FILES[name])
        assert shop.walk().refusals == []
    assert seen(shop) == EXPECTED


def test_a_late_file_reads_again_only_what_looks_at_it(shop: Any) -> None:
    for name, content in FILES.items():
        shop.deliver(name, content)
    shop.walk()
    shop.deliver("shop/item/2026-01-06/late.csv", "id,cost\ni1,0.50\n")
    assert [file.path for file in shop.read().files] == ["shop/item/2026-01-06/late.csv", "shop/line/2026-01-09/a.csv"]


def test_what_left_the_landing_folder_is_still_looked_at(shop: Any) -> None:
    for name in list(FILES)[:-1]:
        shop.deliver(name, FILES[name])
    shop.walk()
    (shop.settings.landing / "shop/item/2026-01-01/a.csv").unlink()
    shop.deliver("shop/line/2026-01-09/a.csv", "order_id,line_id,item_id,quantity\no2,1,i2,1\n")
    assert len(shop.walk().files) == 1
    assert shop.all(COSTS)[-1] == ("o2", "1", "0.2000")


def test_a_refused_file_refuses_those_that_look_at_it(shop: Any) -> None:
    shop.deliver("shop/order/2026-01-05/a.csv", FILES["shop/order/2026-01-05/a.csv"])
    shop.deliver("shop/tag/2026-01-05/a.csv", "order_id,tag\no1,\0\n")
    first, second = shop.walk().refusals
    assert "holds a NUL byte" in first
    assert "looks at shop/tag/2026-01-05/a.csv, which was refused; remedy: mend that file first" in second
    shop.deliver("shop/tag/2026-01-05/a.csv", FILES["shop/tag/2026-01-05/a.csv"])
    assert shop.walk().refusals == []
    assert shop.all(SEEN) == EXPECTED[0]


@pytest.mark.parametrize("order_first", [True, False])
def test_streams_that_look_each_other_up_see_each_other_whatever_comes_first(shop: Any, tmp_path: Path, order_first: bool) -> None:
    folder = tmp_path / "mappings/shop"
    (folder / "shop.yml").write_text(YML.replace("beside: [tag]", "beside: [tag, line]"))
    counted = "(select count(*)::varchar from line where line.order_id = source.id) as sales_channel,"
    (folder / "orders.sql").write_text(ORDERS.replace("'EUR' as currency_code,", f"'EUR' as currency_code, {counted}"))
    (folder / "order_lines.sql").write_text(
        "select source.record_number, source.order_id, line_id, quantity, '1.00' as unit_price, quantity as net_amount,"
        ' "order".placed as product_id from source left join "order" on source.order_id = "order".id'
    )
    names = ["shop/order/2026-01-05/a.csv", "shop/line/2026-01-05/a.csv"]
    for name in names if order_first else reversed(names):
        shop.deliver(name, FILES[name])
        assert shop.walk().refusals == []
    assert shop.all("select order_id, sales_channel from lake.orders order by 1") == [("o1", "2"), ("o2", "0")]
    assert set(shop.all("select order_id, product_id from lake.order_lines")) == {("o1", "2026-01-05T10:00:00Z")}
    assert len(shop.ledger.rows("select 1 from deliveries where status = 'accepted'")) == 2
    assert shop.walk().files == []


def test_records_of_looked_up_files_are_counted_and_kept_closed(shop: Any) -> None:
    shop.deliver("shop/tag/2026-01-05/a.csv", "order_id,tag\no1,vip\no1,a,b\n" + "".join(f"o{n},x\n" for n in range(1_000)))
    report = shop.walk()
    (file,) = report.files
    assert (file.status, file.physical, file.loaded, file.superseded, file.quarantined) == ("staged", 1_002, 1_001, 0, 1)
    assert "a,b" not in str(shop.ledger.rows("select * from quarantine"))
    assert dict(report.batches) == {}
    (copy,) = (shop.settings.restricted / "streams" / "shop.tag").iterdir()
    assert copy.suffix == ".parquet"
    assert stat.S_IMODE(shop.settings.restricted.stat().st_mode) == 0o700
    assert shop.all("select count(*) from lake.batches") == [(0,)]


def test_the_same_content_on_another_day_is_a_duplicate_only_with_the_same_beside_it(shop: Any) -> None:
    for day in ("2026-01-05", "2026-01-07"):
        shop.deliver(f"shop/order/{day}/a.csv", FILES["shop/order/2026-01-05/a.csv"])
        shop.deliver(f"shop/tag/{day}/a.csv", FILES["shop/tag/2026-01-05/a.csv"])
    shop.deliver("shop/order/2026-01-09/a.csv", FILES["shop/order/2026-01-05/a.csv"])
    shop.walk()
    states = shop.ledger.rows("select path, status from deliveries order by path")
    assert dict(states) == {
        "shop/order/2026-01-05/a.csv": "accepted",
        "shop/order/2026-01-07/a.csv": "duplicate",
        "shop/order/2026-01-09/a.csv": "accepted",
        "shop/tag/2026-01-05/a.csv": "accepted",
        "shop/tag/2026-01-07/a.csv": "duplicate",
    }


def test_an_optional_column_may_be_absent(shop: Any, tmp_path: Path) -> None:
    (tmp_path / "mappings/shop/orders.sql").write_text(ORDERS.replace("as order_state\n", "as order_state, note as sales_channel\n"))
    shop.deliver("shop/order/2026-01-05/a.csv", "id,placed\no1,2026-01-05T10:00:00Z\n")
    shop.deliver("shop/order/2026-01-06/a.csv", "id,placed,note\no2,2026-01-06T10:00:00Z,spring\n")
    assert shop.walk().refusals == []
    assert shop.all("select order_id, sales_channel from lake.orders order by 1") == [("o1", None), ("o2", "spring")]


@pytest.mark.parametrize(
    ("was", "becomes", "message"),
    [
        ("beside: [tag]", "beside: [tags]", "stream order looks at unknown streams: tags"),
        ("beside: [tag]", "beside: [line]", "stream tag makes no feed and no stream looks it up"),
        ("columns: [order_id, tag]", "columns: [order_id, tag]\n    beside: [tag]", "streams look at themselves: tag"),
        ("key: [id]", "key: [sku]", "the key names columns that are not read: sku"),
    ],
)
def test_a_wrong_look_is_named(shop: Any, tmp_path: Path, was: str, becomes: str, message: str) -> None:
    (tmp_path / "mappings/shop/shop.yml").write_text(YML.replace(was, becomes, 1))
    shop.deliver("shop/item/2026-01-05/a.csv", FILES["shop/item/2026-01-01/a.csv"])
    with pytest.raises(UsageError, match=message):
        shop.read()
