"""The door as a whole: every record in one bucket, nothing half visible, the same lake whatever the order."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagster_project.door.contracts import feeds, load_contract
from dagster_project.door.inventory import new_files
from dagster_project.errors import InfrastructureError, InputRefused

HEADER = "order_id,ordered_at,currency_code,account_id,net_amount,source_updated_at\n"


def order(number: int, *, net: str = "10.00", updated: str = "", account: str = "a1") -> str:
    return f"o{number},2026-01-01T10:00:00Z,EUR,{account},{net},{updated}\n"


def orders(numbers: Any, **values: str) -> str:
    return HEADER + "".join(order(number, **values) for number in numbers)


def latest(door: Any) -> list[tuple[Any, ...]]:
    """The rows the warehouse would use: the latest version of each key."""
    sql = """select order_id, account_id, net_amount::varchar, source_updated_at::varchar, is_deleted, row_hash, delivery_date::varchar
        from lake.orders
        qualify row_number() over (
            partition by order_id order by source_updated_at desc nulls last, delivery_date desc, row_hash desc
        ) = 1 order by all"""
    return door.all(sql)  # type: ignore[no-any-return]


def counts(report: Any) -> list[tuple[int, int, int, int]]:
    return [(file.physical, file.loaded, file.superseded, file.quarantined) for file in report.files]


def test_nothing_is_visible_before_it_is_accepted(door: Any) -> None:
    door.deliver("canonical/orders/2026-01-02/a.csv", orders(range(3)))
    door.read()
    assert door.all("select count(*) from lake.orders") == [(0,)]
    door.ledger.accept("run-1")
    assert door.all("select count(*), min(record_number), max(record_number), min(delivery_date)::varchar from lake.orders") == [
        (3, 1, 3, "2026-01-02")
    ]
    assert door.all("select is_present, row_count from lake.feed_presence where feed = 'orders'") == [(True, 3)]


def test_every_feed_has_a_typed_relation_even_when_nothing_came(door: Any) -> None:
    lake = door.lake()
    assert lake.execute("select feed from lake.feed_presence where not is_present order by 1").fetchall() == [(feed,) for feed in feeds()]
    for feed in feeds():
        relation = lake.execute(f"select * from lake.{feed}")
        assert {column[0] for column in relation.description} > set(load_contract(feed).names)
        assert relation.fetchall() == []
    described = dict(lake.execute("select column_name, column_type from (describe lake.order_lines)").fetchall())
    assert described["net_amount"] == "DECIMAL(18,2)"
    assert described["row_hash"] == described["record_number"] == "BIGINT"
    assert lake.execute("select reporting_currency_code, company_time_zone, latest_delivery_date from lake.run_parameters").fetchone() == (
        "XXX",
        "UTC",
        None,
    )


@pytest.mark.fault("D1")
def test_the_same_content_under_another_name_is_superseded_and_moves_the_delivery_date(door: Any) -> None:
    door.deliver("canonical/orders/2026-01-02/a.csv", orders(range(3)))
    door.walk()
    door.deliver("canonical/orders/2026-01-09/b.csv", orders(range(3)))
    door.deliver("canonical/orders/2026-01-05/c.csv", orders(range(3)))
    assert counts(door.walk()) == [(3, 0, 3, 0), (3, 0, 3, 0)]
    assert door.all("select count(*), min(delivery_date)::varchar from lake.orders") == [(3, "2026-01-09")]
    assert door.ledger.rows("select status, duplicate_of from deliveries where duplicate_of is not null") == [
        ("duplicate", 1),
        ("duplicate", 1),
    ]


def test_duplicates_carry_their_records_when_the_first_file_is_replaced(door: Any) -> None:
    door.deliver("canonical/orders/2026-01-02/a.csv", orders(range(3)))
    door.deliver("canonical/orders/2026-01-03/b.csv", orders(range(3)))
    door.walk()
    door.deliver("canonical/orders/2026-01-02/a.csv", orders([7]))
    door.walk()
    assert [row[0] for row in latest(door)] == ["o0", "o1", "o2", "o7"]


@pytest.mark.fault("D2")
def test_a_key_twice_in_one_file_keeps_its_latest_version(door: Any) -> None:
    rows = (
        order(1, net="1.00", updated="2026-01-02T00:00:00Z")
        + order(1, net="2.00", updated="2026-01-03T00:00:00Z")
        + order(1, net="3.00")
        + order(2)
    )
    door.deliver("canonical/orders/2026-01-02/a.csv", HEADER + rows)
    assert counts(door.walk()) == [(4, 2, 2, 0)]
    assert door.all("select order_id, net_amount::varchar, record_number from lake.orders order by 1") == [
        ("o1", "2.00", 2),
        ("o2", "10.00", 4),
    ]
    assert json.loads(door.ledger.rows("select control_sums from batches")[0][0]) == {"EUR": {"net_amount": "12.00"}}


@pytest.mark.fault("D3")
@given(order_of_days=st.permutations(range(5)))
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_of_five_deliveries_gives_the_same_latest_rows(make_door: Callable[..., Any], order_of_days: list[int]) -> None:
    files = {
        0: orders(range(4), net="1.00"), 1: orders(range(2, 6), net="2.00", updated="2026-01-05T00:00:00Z"),
        2: orders(range(4), net="1.00"),
        3: orders(range(3), net="3.00"), 4: orders(range(5, 8), account="a2"),
    }  # fmt: skip
    door = make_door("".join(map(str, order_of_days)))
    shutil.rmtree(door.settings.landing)
    door.settings.landing.mkdir()
    for day in order_of_days:
        door.deliver(f"canonical/orders/2026-01-0{day + 1}/f.csv", files[day])
        door.walk()
    together = make_door("together")
    shutil.rmtree(together.settings.home, ignore_errors=True)
    together.walk()
    assert latest(door) == latest(together)


@pytest.mark.fault("F1")
def test_ragged_records_are_quarantined_with_the_counts_of_fields(door: Any) -> None:
    door.deliver("canonical/orders/2026-01-02/a.csv", orders(range(500)) + "o500,2026-01-01T10:00:00Z\n" + order(501))
    report = door.walk()
    assert counts(report) == [(502, 501, 0, 1)]
    assert "record 501 (line 502) 2 fields found, 6 expected" in report.rejections[0]
    assert door.ledger.rows("select record_number, line_number, rule from quarantine") == [(501, 502, "field_count")]
    assert door.all("select record_number from lake.orders where order_id = 'o501'") == [(502,)]


@pytest.mark.fault("F1")
def test_a_value_cut_by_the_delimiter_never_shifts_the_next_one_in(door: Any) -> None:
    door.deliver("canonical/orders/2026-01-02/a.csv", orders(range(500)) + order(500, account="Smith, Jones").replace(",10.00,", ","))
    door.deliver(
        "canonical/orders/2026-01-03/a.csv",
        HEADER.replace(",source_updated_at", ",source_name") + "".join(order(n) for n in range(500)) + order(500, net="12,5"),
    )
    report = door.walk()
    assert [row[3] for row in counts(report)] == [1, 1]
    assert door.ledger.rows("select rule from quarantine") == [("number_format",), ("field_count",)]


@pytest.mark.fault("F2")
def test_line_ends_inside_quotes_count_as_one_record_and_wrong_quotes_lose_nothing(door: Any) -> None:
    rows = "".join(f'o{number},2026-01-01T10:00:00Z,EUR,"Smith,\r\nJones ""{number}""",1.00,\n' for number in range(400))
    door.deliver(
        "canonical/orders/2026-01-02/a.csv",
        HEADER + rows + order(400, account='5" disk') + order(401, account='7" disk') + 'o402,2026-01-01T10:00:00Z,EUR,"a"b,1.00,\n',
    )
    assert counts(door.walk()) == [(403, 402, 0, 1)]
    assert door.ledger.rows("select rule, record_number, line_number from quarantine") == [("quote_format", 403, 804)]
    assert door.all("select account_id from lake.orders where order_id = 'o400'") == [('5" disk',)]
    door.deliver(
        "canonical/orders/2026-01-03/a.csv",
        orders(range(500)) + 'o501,2026-01-01T10:00:00Z,EUR,"x,1.00,\n' + order(502) + order(503, account='y"z') + order(504),
    )
    assert "record 501 (line 502)" in door.walk().refusals[0]


@pytest.mark.fault("F11")
def test_columns_in_another_order_are_read_by_name(door: Any) -> None:
    door.deliver(
        "canonical/orders/2026-01-02/a.csv",
        "tax_amount,order_id,net_amount,currency_code,ordered_at\n1.00,o1,99.00,EUR,2026-01-01T10:00:00Z\n",
    )
    door.walk()
    assert door.all("select order_id, net_amount::varchar, tax_amount::varchar from lake.orders") == [("o1", "99.00", "1.00")]


@pytest.mark.fault("F9", "F10")
def test_a_renamed_column_is_refused_with_the_nearest_name_and_a_new_one_is_a_warning(door: Any) -> None:
    door.deliver("canonical/orders/2026-01-02/a.csv", orders([1]).replace("currency_code", "currency_cod"))
    door.deliver("canonical/orders/2026-01-03/a.csv", orders([2]).replace("account_id", "loyalty_level"))
    report = door.walk()
    assert "required column currency_code is missing; did currency_cod replace it?" in report.refusals[0]
    assert report.warnings == ["canonical/orders/2026-01-03/a.csv: new column loyalty_level (values kept in extras)"]
    with pytest.raises(InputRefused, match="currency_code is missing"):
        report.raise_if_refused()


def test_repeated_keys_are_told_once_a_stream(door: Any) -> None:
    door.deliver("canonical/orders/2026-01-02/a.csv", orders([1, 1, 2]))
    assert door.walk().warnings == [
        "canonical/orders/2026-01-02/a.csv: 1 of 3 records repeat the key of another record of the file; the latest is kept"
    ]
    door.deliver("canonical/orders/2026-01-03/a.csv", orders([1, 1, 1, 2]))
    door.deliver("canonical/orders/2026-01-04/a.csv", orders([3, 3]))
    assert door.walk().warnings == [
        "canonical/orders: 3 in 2 files, most in canonical/orders/2026-01-03/a.csv:"
        " 2 of 4 records repeat the key of another record of the file; the latest is kept",
    ]


def test_a_few_refused_records_are_quarantined_and_too_many_refuse_the_file(door: Any) -> None:
    door.deliver("canonical/orders/2026-01-02/a.csv", orders(range(399)) + order(399, net='"12,5"'))
    door.deliver("canonical/orders/2026-01-03/b.csv", orders(range(400, 500)) + order(500, net="1.005"))
    report = door.walk()
    assert [(file.status, file.quarantined) for file in report.files] == [("staged", 1), ("refused", 1)]
    assert 'record 101 (line 102) column net_amount: "1.005" has more than 2 decimals' in report.refusals[0]
    assert "above, the file is refused whole" in report.refusals[0]
    assert door.all("select count(*) from lake.orders") == [(399,)]
    kept = door.ledger.rows("select column_name, rule, raw_text_masked, length(raw_sha256) from quarantine order by file_id")
    assert [row[:2] for row in kept] == [("net_amount", "number_format"), ("net_amount", "decimals")]
    assert "a1" not in kept[0][2], "other columns are masked"
    assert kept[0][3] == 64
    again = new_files(door.settings.landing, door.ledger, door.mappings)
    assert [file.relative for file in again] == ["canonical/orders/2026-01-03/b.csv"], "a refusal stays visible until the file is mended"


def test_a_corrected_redelivery_resolves_the_quarantine(door: Any) -> None:
    door.deliver("canonical/orders/2026-01-02/a.csv", orders(range(399)) + order(399, net="bad"))
    door.walk()
    door.deliver("canonical/orders/2026-01-02/a.csv", orders(range(400)))
    door.walk()
    assert door.ledger.rows("select resolved_by_run_id from quarantine") == [("run-2",)]
    assert door.all("select count(*) from lake.orders") == [(400,)]


@pytest.mark.fault("S7")
def test_a_personal_value_is_never_shown(door: Any) -> None:
    head = "response_id,question_key,responded_at,scale_min,scale_max,score,comment\n"
    rows = "".join(f"r{number},q,2026-01-01T00:00:00Z,1,5,4,fine\n" for number in range(400))
    door.deliver(
        "canonical/survey_responses/2026-01-02/a.csv", head + rows + "r400,q,2026-01-01T00:00:00Z,1,5,9,write to canary@example.org\n"
    )
    report = door.walk()
    stored = (door.settings.ops / "ledger.sqlite").read_bytes()
    assert "rule scale" in report.rejections[0]
    assert "canary" not in report.rejections[0]
    assert b"canary" not in stored


@pytest.mark.fault("D8")
def test_a_file_that_differs_from_its_manifest_is_refused_with_both_numbers(door: Any) -> None:
    path = door.deliver("canonical/orders/2026-01-02/a.csv", orders(range(499)))
    manifest = path.with_name("a.csv.manifest.json")
    manifest.write_text('{"rows": 500, "sums": {"net_amount": 5000.00}}')
    refusal = door.walk().refusals[0]
    assert "rows 500, found 499" in refusal
    assert "sum of net_amount 5000.00, found 4990.000000" in refusal
    manifest.write_text('{"rows": 499, "sums": {"net_amount": "4990.00"}}')
    assert door.walk().refusals == []


@pytest.mark.fault("F12")
def test_a_new_word_of_a_list_becomes_its_unknown_value_with_a_warning(door: Any) -> None:
    head = "ticket_id,created_at,ticket_state,channel\n"
    door.deliver("canonical/tickets/2026-01-02/a.csv", head + "t1,2026-01-01T00:00:00Z,open,telegram\nt2,2026-01-01T00:00:00Z,open,email\n")
    report = door.walk()
    assert counts(report) == [(2, 2, 0, 0)]
    assert report.warnings == ["canonical/tickets/2026-01-02/a.csv: 1 values of channel are outside its list and became other"]
    assert door.all("select ticket_id, channel from lake.tickets order by 1") == [("t1", "other"), ("t2", "email")]


def test_parquet_is_read_like_text_and_other_formats_are_named_as_unsupported(door: Any) -> None:
    folder = door.settings.landing / "canonical" / "orders" / "2026-01-02"
    folder.mkdir(parents=True)
    duckdb.sql(
        "copy (select 'o' || i as order_id, timestamptz '2026-01-01 10:00:00+00' as ordered_at, 'EUR' as currency_code,"
        f" 1.5::decimal(9, 1) as net_amount from range(5) t(i)) to '{folder}/a.parquet'"
    )
    (folder / "b.docx").write_bytes(b"PK")
    (folder / "c.parquet").write_bytes(b"PAR1")
    report = door.walk()
    assert counts(report)[0] == (5, 5, 0, 0)
    assert "format not supported; supported: csv, tsv" in report.refusals[0]
    assert "not a readable Parquet file" in report.refusals[1]
    assert door.all("select sum(net_amount)::varchar, max(record_number) from lake.orders") == [("7.50", 5)]


@pytest.mark.fault("S1")
def test_texts_that_look_like_code_arrive_as_they_are(door: Any) -> None:
    texts = ["Robert'); DROP TABLE lake.orders--", "{{ env_var('HOME') }}", "${HOME}", "=cmd|' /C calc'!A0", "'' or 1=1"]
    rows = "".join(f'o{number},2026-01-01T10:00:00Z,EUR,"{text}",1.00,\n' for number, text in enumerate(texts))
    door.deliver("canonical/orders/2026-01-02/it's {a} file.csv", HEADER + rows)
    door.walk()
    assert [row[0] for row in door.all("select account_id from lake.orders order by record_number")] == texts


def test_a_feed_whose_checks_fail_keeps_the_older_rows_visible(door: Any) -> None:
    door.deliver("canonical/orders/2026-01-02/a.csv", orders([1]))
    door.walk()
    door.deliver("canonical/orders/2026-01-02/a.csv", orders([2]))
    door.deliver("canonical/orders/2026-01-03/b.csv", orders([2]))
    door.deliver("canonical/payments/2026-01-03/p.csv", "payment_id,order_id,payment_amount,currency_code\np1,o1,1.00,EUR\n")
    door.read()
    door.ledger.accept("run-2", {"orders": "1 blocking check failed"})
    assert door.all("select order_id from lake.orders") == [("o1",)]
    assert door.all("select count(*) from lake.payments") == [(1,)]
    assert [row[0] for row in door.ledger.rows("select status from deliveries order by path, file_id")] == [
        "accepted",
        "refused",
        "refused",
        "accepted",
    ]


@pytest.mark.fault("F13")
def test_several_currencies_without_a_choice_are_an_error(door: Any) -> None:
    door.deliver("canonical/orders/2026-01-02/a.csv", orders([1]) + order(2).replace("EUR", "USD"))
    door.walk()
    with pytest.raises(Exception, match=r"reporting_currency_code: the feeds name several \(EUR, USD\)"):
        door.lake()
    door.assumptions = door.assumptions.model_copy(update={"reporting_currency_code": "EUR"})
    assert door.all("select reporting_currency_code from lake.run_parameters") == [("EUR",)]


@pytest.mark.fault("C7")
def test_a_lake_file_that_is_gone_is_told_and_not_passed_over(door: Any) -> None:
    door.deliver("canonical/orders/2026-01-02/a.csv", orders([1]))
    door.walk()
    next((door.settings.lake / "orders").iterdir()).unlink()
    with pytest.raises(InfrastructureError, match=r"lake\.orders"):
        door.lake()


WALK = """
import sys
from pathlib import Path
from dagster_project.assumptions import load_assumptions
from dagster_project.door.inventory import new_files
from dagster_project.door.ledger import Ledger
from dagster_project.door.loading import load
from dagster_project.door.mapping import Mappings
from dagster_project.settings import load_settings
settings = load_settings(landing=Path(sys.argv[1]), home=Path(sys.argv[2]))
ledger = Ledger(settings.ops)
load(settings, load_assumptions(), ledger, new_files(settings.landing, ledger, Mappings()), sys.argv[3])
ledger.accept(sys.argv[3])
"""


@pytest.mark.fault("C1")
@pytest.mark.parametrize("point", ["prescan", "loaded", "accepted"])
def test_a_kill_at_any_point_of_the_door_leaves_the_old_rows_or_the_new_ones(make_door: Callable[..., Any], point: str) -> None:
    door = make_door()
    door.deliver("canonical/orders/2026-01-02/a.csv", orders(range(3)))
    door.walk()
    door.deliver("canonical/orders/2026-01-02/a.csv", orders(range(5)))
    door.deliver("canonical/orders/2026-01-03/b.csv.gz", orders(range(10, 12)))
    arguments = [sys.executable, "-c", WALK, str(door.settings.landing), str(door.settings.home)]
    killed = subprocess.run([*arguments, "killed"], env={**os.environ, "ROI_FAULT_POINT": point}, check=False)
    assert killed.returncode == -signal.SIGKILL
    seen = [row[0] for row in latest(door)]
    assert seen == (["o0", "o1", "o2"] if point != "accepted" else ["o0", "o1", "o10", "o11", "o2", "o3", "o4"])
    assert subprocess.run([*arguments, "again"], check=False).returncode == 0
    undisturbed = make_door("undisturbed")
    undisturbed.walk()
    assert latest(door) == latest(undisturbed)
    door.read()
    named = {Path(path).name for (path,) in door.ledger.rows("select path from batches where status = 'accepted'")}
    assert {path.name for path in (door.settings.lake / "orders").iterdir()} == named, "what the crash left is swept"


def test_each_record_ends_in_exactly_one_bucket(make_door: Callable[..., Any]) -> None:
    kinds = {"good": "10.00", "bad": "x", "fine": "1.50"}
    for number, mix in enumerate(itertools.product(kinds, repeat=2)):
        door = make_door(f"home{number}")
        door.assumptions = door.assumptions.model_copy(update={"quarantine_threshold_rate": Decimal(1)})
        shutil.rmtree(door.settings.landing)
        door.deliver(
            "canonical/orders/2026-01-02/a.csv", HEADER + "".join(order(at, net=kinds[kind]) for at, kind in enumerate(mix)) + order(0)
        )
        ((physical, loaded, superseded, quarantined),) = counts(door.walk())
        assert physical == 3 == loaded + superseded + quarantined
        assert quarantined == mix.count("bad")
        assert superseded == (mix[0] != "bad")
        assert door.all("select count(*) from lake.orders") == [(loaded,)]
