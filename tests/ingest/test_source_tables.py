"""Source tables of a small shop: what its feeds show depends on what was delivered, not on when it was loaded."""

from __future__ import annotations

import itertools
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dagster_project.errors import UsageError
from tests.ingest.mapping_files import write_system
from tests.ingest.shop_files import EXPECTED, FILES, LINE, LINES, ORDER, ORDERS, YML, counted, current_rows, deliver_all, mapped, seen


@pytest.fixture
def shop(make_ingest: Callable[..., Any], tmp_path: Path) -> Any:
    return make_ingest(mappings=write_system(tmp_path / "mappings", "shop", YML, orders=ORDERS, order_lines=LINES))


@pytest.mark.fault("D3")
@pytest.mark.parametrize("order", [*itertools.islice(itertools.permutations(FILES), 0, 40_320, 13_441)], ids=itertools.count())
def test_one_by_one_in_any_order_ends_where_one_load_ends(
    shop: Any, make_ingest: Callable[..., Any], tmp_path: Path, order: tuple[str, ...]
) -> None:
    for name in order:
        shop.deliver(name, FILES[name])
        assert shop.walk().refusals == []
    assert seen(shop) == EXPECTED
    at_once = make_ingest("at-once", mappings=tmp_path / "mappings")
    assert at_once.walk().refusals == []
    assert seen(at_once) == EXPECTED
    assert counted(shop) == counted(at_once)


def test_records_of_streams_that_are_only_read_are_counted_and_kept_closed(shop: Any) -> None:
    shop.deliver("shop/tag/2026-01-05/a.csv", "order_id,tag\no1,vip\no1,a,b\n" + "".join(f"o{n},x\n" for n in range(1_000)))
    report = shop.walk()
    (file,) = report.files
    assert (file.status, file.physical, file.loaded, file.superseded, file.quarantined) == ("staged", 1_002, 1_001, 0, 1)
    assert "a,b" not in str(shop.ledger.rows("select * from quarantine"))
    assert dict(report.batches) == {}
    assert [path.name for path in (shop.settings.restricted / "sources").iterdir()] == ["shop.duckdb"]
    assert stat.S_IMODE(shop.settings.restricted.stat().st_mode) == 0o700
    assert stat.S_IMODE((shop.settings.restricted / "sources").stat().st_mode) == 0o700
    assert shop.all("select count(*) from lake.batches") == [(0,)]


def test_waiting_rows_are_reported_and_refuse_nothing(shop: Any) -> None:
    shop.deliver("shop/line/2026-01-05/a.csv", FILES["shop/line/2026-01-05/a.csv"])
    report = shop.walk()
    assert report.refusals == []
    assert "shop/line: 3 records wait for their order, the oldest since 2026-01-05" in report.notices
    assert counted(shop) == [("shop/line/2026-01-05/a.csv", 3, 0, 0, 0, 3)]
    assert seen(shop) == ([], [])
    shop.deliver("shop/order/2026-01-05/a.csv", FILES["shop/order/2026-01-05/a.csv"])
    assert not any("wait for" in notice for notice in shop.walk().notices)
    assert counted(shop)[0] == ("shop/line/2026-01-05/a.csv", 3, 3, 0, 0, 0)
    assert [row[:2] for row in seen(shop)[1]] == [("o1", "1"), ("o1", "2"), ("o3", "1")]


def test_a_deleted_header_withdraws_its_children(shop: Any) -> None:
    for name in ("shop/order/2026-01-05/a.csv", "shop/line/2026-01-05/a.csv"):
        shop.deliver(name, FILES[name])
    shop.walk()
    assert ("o3", "1") in [row[:2] for row in seen(shop)[1]]
    shop.deliver("shop/order/2026-01-07/a.csv", FILES["shop/order/2026-01-07/a.csv"])
    report = shop.walk()
    assert dict(report.withdrawn) == {"orders": 1, "order_lines": 1}
    assert dict(report.rows) == {"orders": 0, "order_lines": 0}
    assert [row[:2] for row in seen(shop)[1]] == [("o1", "1"), ("o1", "2")]
    assert counted(shop)[0] == ("shop/line/2026-01-05/a.csv", 3, 2, 1, 0, 0)


def test_a_replaced_file_takes_its_rows_along(shop: Any) -> None:
    deliver_all(shop)
    shop.walk()
    shop.deliver("shop/item/2026-01-03/a.csv", "id,cost\ni2,0.77\n")
    assert shop.walk().refusals == []
    costs = {row[:2]: row[3] for row in seen(shop)[1]}
    assert costs == {("o1", "1"): "0.1000", ("o1", "2"): "0.7700", ("o2", "1"): "0.1000"}
    states = [
        status for (status,) in shop.ledger.rows("select status from deliveries where path = 'shop/item/2026-01-03/a.csv' order by file_id")
    ]
    assert states == ["replaced", "accepted"]
    assert len({number for (number,) in shop.all("select distinct change_number from lake.batches")}) == 1, "older changes are replaced"


def test_a_changed_select_maps_every_record_again(shop: Any, tmp_path: Path) -> None:
    deliver_all(shop)
    shop.walk()
    (tmp_path / "mappings/shop/order_lines.sql").write_text(LINES.replace("item.cost as", "'9.99' as"))
    assert mapped(shop) == {"order": 2, "line": 3}
    assert {row[3] for row in seen(shop)[1]} == {"9.9900"}
    assert seen(shop)[0] == EXPECTED[0]


def test_ties_are_reported_and_the_later_record_is_kept(shop: Any) -> None:
    shop.deliver("shop/order/2026-01-05/a.csv", FILES["shop/order/2026-01-05/a.csv"])
    shop.deliver("shop/item/2026-01-05/a.csv", "id,cost\ni1,0.10\ni1,0.20\n")
    shop.deliver("shop/line/2026-01-05/a.csv", LINE + "o1,1,i1,1\n")
    report = shop.walk()
    reported = "shop/item: 1 keys have versions that differ and are equally new; the later file or record is kept"
    assert reported in report.warnings
    assert [row[3] for row in seen(shop)[1]] == ["0.2000"]


def test_checks_that_fail_for_one_feed_refuse_the_change_and_leave_the_tables(shop: Any) -> None:
    deliver_all(shop)
    shop.walk()
    tables = shop.settings.restricted / "sources/shop.duckdb"
    before, content = counted(shop), tables.read_bytes()
    shop.deliver("shop/line/2026-01-10/a.csv", LINE + "o2,2,i2,7\n")
    shop.deliver("shop/tag/2026-01-10/a.csv", "order_id,tag\no2,gold\n")
    report = shop.read()
    assert set(report.batches) == {"orders", "order_lines"}
    shop.ledger.accept(f"run-{shop.runs}", {"order_lines": "1 blocking check failed"})
    report.commit(shop.ledger)
    assert seen(shop) == EXPECTED
    assert counted(shop) == before
    assert tables.read_bytes() == content
    refused = shop.ledger.rows("select path, error from deliveries where status = 'refused' order by path")
    assert [path for path, _ in refused] == ["shop/line/2026-01-10/a.csv", "shop/tag/2026-01-10/a.csv"]
    assert {error for _, error in refused} == {"feed order_lines: 1 blocking check failed"}
    assert shop.walk().refusals == []
    assert seen(shop)[0][1] == ("o2", "gold")
    assert ("o2", "2", "7.000", "0.2000") in seen(shop)[1]


def test_a_snapshot_delivered_again_maps_nothing(shop: Any) -> None:
    deliver_all(shop)
    shop.walk()
    for name in ("shop/item/2026-01-10/b.csv", "shop/order/2026-01-10/b.csv"):
        rows = {"item": "id,cost\ni1,0.15\ni2,0.20\n", "order": ORDER + "o1,2026-01-05T10:00:00Z,open\no2,2026-01-05T11:00:00Z,open\n"}
        shop.deliver(name, rows[name.split("/")[1]])
    assert mapped(shop) == {}
    assert seen(shop) == EXPECTED
    shop.deliver("shop/item/2026-01-11/b.csv", "id,cost\ni1,0.15\ni2,0.25\n")
    assert mapped(shop) == {"line": 1}
    assert ("o1", "2", "3.000", "0.2500") in seen(shop)[1]


def test_what_left_the_landing_folder_is_still_read(shop: Any) -> None:
    deliver_all(shop)
    shop.walk()
    for name in FILES:
        (shop.settings.landing / name).unlink()
    shop.deliver("shop/line/2026-01-10/a.csv", LINE + "o2,2,i2,1\n")
    assert len(shop.walk().files) == 1
    assert seen(shop) == (EXPECTED[0], [*EXPECTED[1], ("o2", "2", "1.000", "0.2000")])


def test_a_refused_file_of_a_read_stream_refuses_no_other(shop: Any) -> None:
    shop.deliver("shop/order/2026-01-05/a.csv", FILES["shop/order/2026-01-05/a.csv"])
    shop.deliver("shop/tag/2026-01-05/a.csv", "order_id,tag\no1,\0\n")
    (message,) = shop.walk().refusals
    assert "holds a NUL byte" in message
    assert seen(shop)[0] == [("o1", None), ("o2", None), ("o3", None)]
    shop.deliver("shop/tag/2026-01-05/a.csv", FILES["shop/tag/2026-01-05/a.csv"])
    assert shop.walk().refusals == []
    assert seen(shop)[0] == [("o1", "test+vip"), ("o2", "new"), ("o3", None)]


def test_a_refusal_by_a_feed_that_does_not_carry_the_record_is_told_once_and_ends(shop: Any, tmp_path: Path) -> None:
    """Of each record and feed there is one open entry, however often the record is mapped, also when its file left the folder."""
    survey = (
        "select source.record_number, id as response_id, 'q' as question_key, 'transactional' as survey_kind, 'nps' as survey_metric,"
        " 0 as scale_min, 10 as scale_max, tag.tag as score, placed as responded_at, 'a1' as account_id"
        " from source inner join tag on tag.order_id = source.id"
    )
    mapping = tmp_path / "mappings/shop"
    (mapping / "survey.sql").write_text(survey)
    described = (mapping / "shop.yml").read_text()
    feeds = "{orders: {sql: orders.sql, records: true}"
    (mapping / "shop.yml").write_text(described.replace(feeds, feeds + ", survey_responses: {sql: survey.sql}"))

    def life() -> list[Any]:
        sql = "select feed, record_number, quarantine_state, resolving_run_id from quarantine_life order by quarantine_id"
        rows: list[Any] = shop.ledger.rows(sql)
        return rows

    shop.deliver("shop/order/2026-01-05/a.csv", ORDER + "o1,2026-01-05T10:00:00Z,open\n")
    for day, score in ((5, 11), (6, 12)):
        shop.deliver(f"shop/tag/2026-01-0{day}/a.csv", f"order_id,tag\no1,{score}\n")
        shop.walk()
        assert life() == [("survey_responses", 1, "open", None)]
    (shop.settings.landing / "shop/order/2026-01-05/a.csv").unlink()
    (mapping / "survey.sql").write_text(survey.replace("'a1'", "'a2'"))
    shop.walk()
    assert life() == [("survey_responses", 1, "open", None)]
    shop.deliver("shop/tag/2026-01-07/a.csv", "order_id,tag\no1,9\n")
    shop.walk()
    assert life() == [("survey_responses", 1, "resolved", f"run-{shop.runs}")]
    shop.deliver("shop/tag/2026-01-08/a.csv", "order_id,tag\no1,13\n")
    shop.walk()
    assert [row[2] for row in life()] == ["resolved", "open"]
    (mapping / "survey.sql").write_text(survey.replace("tag.tag as score", "'3' as score"))
    shop.walk()
    assert [row[2] for row in life()] == ["resolved", "resolved"]


def test_an_instant_of_another_stream_may_come_later_than_the_record(shop: Any, make_ingest: Callable[..., Any], tmp_path: Path) -> None:
    """The record's own instants end with its day of delivery, those it looks up with the latest delivery of the system."""
    joined = (
        "select source.record_number, source.id as order_id, item.cost as ordered_at, 'EUR' as currency_code"
        " from source left join item on item.id = state"
    )
    (tmp_path / "mappings/shop/orders.sql").write_text(joined)
    days = {
        "shop/order/2026-01-05/a.csv": ORDER + "o1,2026-01-05T10:00:00Z,i1\n",
        "shop/item/2026-01-09/a.csv": "id,cost\ni1,2026-01-08T10:00:00Z\n",
        "shop/item/2026-01-10/a.csv": "id,cost\ni1,2026-03-01T10:00:00Z\n",
        "shop/tag/2026-03-02/a.csv": "order_id,tag\no9,x\n",
    }
    expected = iter((0, 1, 0, 1))
    for name, content in days.items():
        shop.deliver(name, content)
        assert shop.walk().refusals == []
        assert len(current_rows(shop, "orders", "order_id", "ordered_at")) == next(expected), name
    whole = make_ingest("at-once", mappings=tmp_path / "mappings")
    assert whole.walk().refusals == []
    assert current_rows(whole, "orders", "order_id", "ordered_at") == current_rows(shop, "orders", "order_id", "ordered_at")
    rules = "select rule, quarantine_state from quarantine_life order by quarantine_id"
    assert shop.ledger.rows(rules) == [("required", "resolved"), ("future_instant", "resolved")]


def test_an_optional_column_may_be_absent(shop: Any, tmp_path: Path) -> None:
    (tmp_path / "mappings/shop/orders.sql").write_text(ORDERS.replace("as order_state\n", "as order_state, note as sales_channel\n"))
    shop.deliver("shop/order/2026-01-05/a.csv", ORDER + "o1,2026-01-05T10:00:00Z,open\n")
    shop.deliver("shop/order/2026-01-06/a.csv", "id,placed,state,note\no2,2026-01-06T10:00:00Z,open,spring\n")
    assert shop.walk().refusals == []
    assert current_rows(shop, "orders", "order_id", "sales_channel") == [("o1", None), ("o2", "spring")]


@pytest.mark.parametrize(
    ("was", "becomes", "message"),
    [
        (
            "key: [order_id, line_id]",
            "key: [order_id, line_id]\n    key_defaults: {item_id: 1}",
            "columns that are not in the key: item_id",
        ),
        ("key: [order_id, line_id]", "key: [sku]", "key, version, complete_per, deleted or needs name columns that are not read: sku"),
        (
            "    complete_per: order_id\n",
            "    complete_per: order_id\n  gift:\n    columns: [id]\n",
            "stream gift makes no feed and no SELECT",
        ),
    ],
)
def test_a_wrong_word_of_the_mapping_is_named(shop: Any, tmp_path: Path, was: str, becomes: str, message: str) -> None:
    assert was in YML
    (tmp_path / "mappings/shop/shop.yml").write_text(YML.replace(was, becomes, 1))
    shop.deliver("shop/item/2026-01-05/a.csv", FILES["shop/item/2026-01-01/a.csv"])
    with pytest.raises(UsageError, match=message):
        _ = shop.mappings.system("shop").file, shop.read()
