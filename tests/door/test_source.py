"""What a SELECT sees of a delivered file: columns as text, each record under its number. Breaks: a message names another record's line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dagster_project.door import batches


def test_records_of_a_large_file_keep_their_numbers(till: Callable[..., Any]) -> None:
    """Large enough for two threads and many row groups; one record near the end is wrong."""
    count, wrong = 900_000, 876_543
    rows = (f"n{number},2026-01-01 10:00:00,c{number % 977},{number}.{'5x' if number == wrong else '50'}" for number in range(1, count + 1))
    door = till()
    door.deliver("till/sales/2026-01-02/a.csv", "\n".join(("number,day,customer,net", *rows)))
    report = door.walk()
    assert [(file.physical, file.loaded, file.quarantined) for file in report.files] == [(count, count - 1, 1)]
    assert door.ledger.rows("select record_number, line_number, rule from quarantine") == [(wrong, wrong + 1, "number_format")]
    numbered = "count(*), bool_and(order_id = 'n' || record_number and net_amount = record_number + 0.5)"
    assert door.all(f"select {numbered} from lake.orders") == [(count - 1, True)]


@pytest.fixture
def shop(make_door: Callable[..., Any], tmp_path: Path) -> Any:
    """Two of four columns are read, one of them may be absent."""
    folder = tmp_path / "mappings" / "shop"
    folder.mkdir(parents=True)
    (folder / "shop.yml").write_text(
        "time_zone: UTC\nstreams:\n  sales:\n    columns: [id, sold]\n    optional: [Account]\n    unread: [note, paid]\n"
        "    feeds:\n      orders: {sql: o.sql, records: true}\n"
    )
    (folder / "o.sql").write_text(
        "select record_number, id as order_id, sold as ordered_at, 'EUR' as currency_code, account as account_id\nfrom source"
    )
    return make_door(mappings=tmp_path / "mappings")


@pytest.mark.parametrize(("header", "account"), [("id,sold,note,paid", None), ("id,sold,account,paid", "b"), ("id,sold,Account,paid", "b")])
def test_a_column_that_may_be_absent_is_null_or_what_the_file_says_in_any_capitals(shop: Any, header: str, account: str | None) -> None:
    shop.deliver("shop/sales/2026-01-02/a.csv", f"{header}\n1,2026-01-01 10:00:00,b,4.00\n")
    report = shop.walk()
    assert (report.refusals, shop.all("select order_id, account_id from lake.orders")) == ([], [("1", account)])


@pytest.mark.parametrize(("total", "is_right"), [("7.50", True), ("7.51", False)])
def test_a_manifest_may_speak_of_a_column_that_no_select_reads(shop: Any, total: str, is_right: bool) -> None:
    path = shop.deliver("shop/sales/2026-01-02/a.csv", "id,sold,note,paid\n1,2026-01-01 10:00:00,b,4.00\n2,2026-01-01 10:00:00,,3.50\n")
    path.with_name("a.csv.manifest.json").write_text(json.dumps({"sums": {"paid": total}}))
    assert [f"sum of paid {total}0000, found 7.500000" in refusal for refusal in shop.walk().refusals] == ([] if is_right else [True])


def test_a_large_file_in_local_time_gives_the_instants_of_a_small_one(till: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Hours around both changes of the clocks, one of them ambiguous, and a time that the look into the calendar does not reach."""
    local = [f"2025-{day} 0{hour}:{minute}:00" for day in ("03-30", "10-26", "07-01") for hour in range(4) for minute in ("00", "30")]
    text = "number,day,customer,net\n" + "".join(f"n{at},{day},c,1.00\n" for at, day in enumerate([*local, "1980-08-01 12:00:00"]))
    found = []
    for many in (1 << 40, 0):
        monkeypatch.setattr(batches, "_MANY_BYTES", many)
        door = till("time_zone: Europe/Berlin")
        door.deliver("till/sales/2026-01-02/a.csv", text)
        assert not door.walk().refusals
        found.append(door.all("select order_id, ordered_at from lake.orders order by record_number"))
        door.settings.home.rename(door.settings.home.with_name(f"home-{many}"))
    assert found[0] == found[1]
    assert (
        len({instant for _, instant in found[0]}) == len(local) + 1 - 2
    )  # two local times of March are no times: they fall on the hour after
