"""Records that break a rule and files that hold too many of them. Breaks: a wrong value loads, or is lost without a word."""

from __future__ import annotations

import json
from typing import Any

import duckdb
import pytest

from dagster_project.errors import InputRefused
from dagster_project.ingest.landing.inventory import new_files
from tests.ingest.loading_files import HEADER, counts, order, orders


@pytest.mark.fault("F1")
def test_ragged_records_are_quarantined_with_the_counts_of_fields(ingest: Any) -> None:
    ingest.deliver("canonical/orders/2026-01-02/a.csv", orders(range(500)) + "o500,2026-01-01T10:00:00Z\n" + order(501))
    report = ingest.walk()
    assert counts(report) == [(502, 501, 0, 1)]
    assert "record 501 (line 502) 2 fields found, 6 expected" in report.rejections[0]
    assert ingest.ledger.rows("select record_number, line_number, rule from quarantine") == [(501, 502, "field_count")]
    assert ingest.all("select record_number from lake.orders where order_id = 'o501'") == [(502,)]


@pytest.mark.fault("F1")
def test_a_value_cut_by_the_delimiter_never_shifts_the_next_one_in(ingest: Any) -> None:
    ingest.deliver("canonical/orders/2026-01-02/a.csv", orders(range(500)) + order(500, account="Smith, Jones").replace(",10.00,", ","))
    ingest.deliver(
        "canonical/orders/2026-01-03/a.csv",
        HEADER.replace(",source_updated_at", ",source_name") + "".join(order(n) for n in range(500)) + order(500, net="12,5"),
    )
    report = ingest.walk()
    assert [row[3] for row in counts(report)] == [1, 1]
    assert ingest.ledger.rows("select rule from quarantine") == [("number_format",), ("field_count",)]


@pytest.mark.fault("F2")
def test_line_ends_inside_quotes_count_as_one_record_and_wrong_quotes_lose_nothing(ingest: Any) -> None:
    rows = "".join(f'o{number},2026-01-01T10:00:00Z,EUR,"Smith,\r\nJones ""{number}""",1.00,\n' for number in range(400))
    ingest.deliver(
        "canonical/orders/2026-01-02/a.csv",
        HEADER + rows + order(400, account='5" disk') + order(401, account='7" disk') + 'o402,2026-01-01T10:00:00Z,EUR,"a"b,1.00,\n',
    )
    assert counts(ingest.walk()) == [(403, 402, 0, 1)]
    assert ingest.ledger.rows("select rule, record_number, line_number from quarantine") == [("quote_format", 403, 804)]
    assert ingest.all("select account_id from lake.orders where order_id = 'o400'") == [('5" disk',)]
    ingest.deliver(
        "canonical/orders/2026-01-03/a.csv",
        orders(range(500)) + 'o501,2026-01-01T10:00:00Z,EUR,"x,1.00,\n' + order(502) + order(503, account='y"z') + order(504),
    )
    assert "record 501 (line 502)" in ingest.walk().refusals[0]


@pytest.mark.fault("F11")
def test_columns_in_another_order_are_read_by_name(ingest: Any) -> None:
    ingest.deliver(
        "canonical/orders/2026-01-02/a.csv",
        "tax_amount,order_id,net_amount,currency_code,ordered_at\n1.00,o1,99.00,EUR,2026-01-01T10:00:00Z\n",
    )
    ingest.walk()
    assert ingest.all("select order_id, net_amount::decimal(18, 2)::varchar, tax_amount::decimal(18, 2)::varchar from lake.orders") == [
        ("o1", "99.00", "1.00")
    ]


@pytest.mark.fault("F9", "F10")
def test_a_renamed_column_is_refused_with_the_nearest_name_and_a_new_one_is_a_warning(ingest: Any) -> None:
    ingest.deliver("canonical/orders/2026-01-02/a.csv", orders([1]).replace("currency_code", "currency_cod"))
    ingest.deliver("canonical/orders/2026-01-03/a.csv", orders([2]).replace("account_id", "loyalty_level"))
    report = ingest.walk()
    assert "required column currency_code is missing; did currency_cod replace it?" in report.refusals[0]
    assert report.warnings == ["canonical/orders/2026-01-03/a.csv: new column loyalty_level (values kept in extras)"]
    with pytest.raises(InputRefused, match="currency_code is missing"):
        report.raise_if_refused()


def test_repeated_keys_are_told_once_a_stream(ingest: Any) -> None:
    ingest.deliver("canonical/orders/2026-01-02/a.csv", orders([1, 1, 2]))
    assert ingest.walk().warnings == [
        "canonical/orders/2026-01-02/a.csv: 1 of 3 records repeat the key of another record of the file; the latest is kept"
    ]
    ingest.deliver("canonical/orders/2026-01-03/a.csv", orders([1, 1, 1, 2]))
    ingest.deliver("canonical/orders/2026-01-04/a.csv", orders([3, 3]))
    assert ingest.walk().warnings == [
        "canonical/orders: 3 in 2 files, most in canonical/orders/2026-01-03/a.csv:"
        " 2 of 4 records repeat the key of another record of the file; the latest is kept",
    ]


def test_a_few_refused_records_are_quarantined_and_too_many_refuse_the_file(ingest: Any) -> None:
    ingest.deliver("canonical/orders/2026-01-02/a.csv", orders(range(399)) + order(399, net='"12,5"'))
    bad = "".join(order(number, net="1.005") for number in range(500, 506))
    ingest.deliver("canonical/orders/2026-01-03/b.csv", orders(range(400, 500)) + bad)
    report = ingest.walk()
    assert [(file.status, file.quarantined) for file in report.files] == [("staged", 1), ("refused", 6)]
    assert 'record 101 (line 102) column net_amount: "1.005" has more decimals than its currency' in report.refusals[0]
    assert "above, the file is refused completely" in report.refusals[0]
    assert ingest.all("select count(*) from lake.orders") == [(399,)]
    kept = ingest.ledger.rows("select column_name, rule, raw_text_masked, length(raw_sha256) from quarantine order by file_id")
    assert [row[:2] for row in kept] == [("net_amount", "number_format"), *[("net_amount", "decimals")] * 6]
    assert "a1" not in kept[0][2], "other columns are masked"
    assert kept[0][3] == 64
    again = new_files(ingest.settings.landing, ingest.ledger, ingest.mappings)
    assert [file.relative for file in again] == ["canonical/orders/2026-01-03/b.csv"], "a refusal stays visible until the file is repaired"


def test_a_corrected_redelivery_resolves_the_quarantine(ingest: Any) -> None:
    ingest.deliver("canonical/orders/2026-01-02/a.csv", orders(range(399)) + order(399, net="bad"))
    ingest.walk()
    ingest.deliver("canonical/orders/2026-01-02/a.csv", orders(range(400)))
    ingest.walk()
    assert ingest.ledger.rows("select resolved_by_run_id from quarantine") == [("run-2",)]
    assert ingest.all("select count(*) from lake.orders") == [(400,)]


@pytest.mark.fault("S7")
def test_a_personal_value_is_never_shown(ingest: Any) -> None:
    head = "response_id,question_key,responded_at,scale_min,scale_max,score,comment\n"
    rows = "".join(f"r{number},q,2026-01-01T00:00:00Z,1,5,4,fine\n" for number in range(400))
    ingest.deliver(
        "canonical/survey_responses/2026-01-02/a.csv", head + rows + "r400,q,2026-01-01T00:00:00Z,1,5,9,write to canary@example.org\n"
    )
    report = ingest.walk()
    stored = (ingest.settings.ops / "ledger.sqlite").read_bytes()
    assert "rule scale" in report.rejections[0]
    assert "canary" not in report.rejections[0]
    assert b"canary" not in stored


@pytest.mark.fault("D8")
def test_a_file_that_differs_from_its_manifest_is_refused_with_both_numbers(ingest: Any) -> None:
    path = ingest.deliver("canonical/orders/2026-01-02/a.csv", orders(range(499)))
    manifest = path.with_name("a.csv.manifest.json")
    manifest.write_text('{"rows": 500, "sums": {"net_amount": 5000.00}}')
    refusal = ingest.walk().refusals[0]
    assert "rows 500, found 499" in refusal
    assert "sum of net_amount 5000.000000, found 4990.000000" in refusal
    manifest.write_text('{"rows": 499, "sums": {"net_amount": "4990.00"}}')
    assert ingest.walk().refusals == []


@pytest.mark.fault("D8")
@pytest.mark.parametrize(
    ("stated", "difference"),
    [
        ({"sums": {"net_amount": {"EUR": "30.00", "USD": 5}}}, None),
        ({"sums": {"net_amount": {"EUR": "30.00", "USD": "5.01"}}}, "sum of net_amount in USD 5.010000, found 5.000000"),
        ({"sums": {"net_amount": {"EUR": "30.00"}}}, "sum of net_amount in other currencies 0.000000, found 5.000000"),
        ({"sums": {"net_amount": {"EUR": 1}}, "currency_column": "money"}, "states column money, which the file has not"),
        ({"minimum": {"ordered_at": "2026-01-01T02:00:00+02:00"}, "maximum": {"ordered_at": "2026-01-01T03:00:00Z"}}, None),
        ({"maximum": {"ordered_at": "2026-01-01 02:59:59"}}, "maximum of ordered_at 2026-01-01 02:59:59+00, found 2026-01-01 03:00:00+00"),
        ({"minimum": {"ordered_at": "last week"}}, "minimum of ordered_at None, found 2026-01-01 00:00:00+00"),
        ({"rows": "four", "of_the_sender": 1}, "not a manifest (rows: Input should be a valid integer"),
    ],
)
def test_a_manifest_may_state_sums_by_currency_and_first_and_last_instants(ingest: Any, stated: Any, difference: str | None) -> None:
    rows = "".join(
        f"o{hour},2026-01-01T0{hour}:00:00Z,{'USD' if hour == 3 else 'EUR'},{'5.00' if hour == 3 else '10.00'}\n" for hour in range(4)
    )
    path = ingest.deliver("canonical/orders/2026-01-02/a.csv", "order_id,ordered_at,currency_code,net_amount\n" + rows)
    path.with_name("a.csv.manifest.json").write_text(json.dumps(stated))
    refusals = ingest.walk().refusals
    assert [difference in refusal for refusal in refusals] == [True] if difference else refusals == []


@pytest.mark.fault("F12")
def test_a_new_word_of_a_list_becomes_its_unknown_value_with_a_warning(ingest: Any) -> None:
    head = "ticket_id,created_at,ticket_state,channel\n"
    ingest.deliver(
        "canonical/tickets/2026-01-02/a.csv", head + "t1,2026-01-01T00:00:00Z,open,telegram\nt2,2026-01-01T00:00:00Z,open,email\n"
    )
    report = ingest.walk()
    assert counts(report) == [(2, 2, 0, 0)]
    assert report.warnings == ["canonical/tickets/2026-01-02/a.csv: 1 values of channel are outside its list and became other"]
    assert ingest.all("select ticket_id, channel from lake.tickets order by 1") == [("t1", "other"), ("t2", "email")]


def test_parquet_is_read_like_text_and_other_formats_are_named_as_unsupported(ingest: Any) -> None:
    folder = ingest.settings.landing / "canonical" / "orders" / "2026-01-02"
    folder.mkdir(parents=True)
    duckdb.sql(
        "copy (select 'o' || i as order_id, timestamptz '2026-01-01 10:00:00+00' as ordered_at, 'EUR' as currency_code,"
        f" 1.5::decimal(9, 1) as net_amount from range(5) t(i)) to '{folder}/a.parquet'"
    )
    (folder / "b.docx").write_bytes(b"PK")
    (folder / "c.parquet").write_bytes(b"PAR1")
    report = ingest.walk()
    assert counts(report)[0] == (5, 5, 0, 0)
    assert "format not supported; supported: csv, tsv" in report.refusals[0]
    assert "not a readable Parquet file" in report.refusals[1]
    assert ingest.all("select sum(net_amount)::decimal(18, 2)::varchar, max(record_number) from lake.orders") == [("7.50", 5)]


@pytest.mark.fault("S1")
def test_texts_that_look_like_code_arrive_as_they_are(ingest: Any) -> None:
    texts = ["Robert'); DROP TABLE lake.orders--", "{{ env_var('HOME') }}", "${HOME}", "=cmd|' /C calc'!A0", "'' or 1=1"]
    rows = "".join(f'o{number},2026-01-01T10:00:00Z,EUR,"{text}",1.00,\n' for number, text in enumerate(texts))
    ingest.deliver("canonical/orders/2026-01-02/it's {a} file.csv", HEADER + rows)
    ingest.walk()
    assert [row[0] for row in ingest.all("select account_id from lake.orders order by record_number")] == texts
