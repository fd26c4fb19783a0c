"""Strict casts: what is not exactly the contract's type is refused, and local times go through the declared zone."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from dagster_project.contracts.model import load_contract
from dagster_project.ingest.conform.casting import Casting, casting
from dagster_project.ingest.conform.zones import instant_macro
from dagster_project.ingest.pii.masking import prepare
from dagster_project.ingest.readers.dialect import Dialect
from dagster_project.ingest.sql_text import BLANKS, identifier_value

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
    fast = plan.fast_sql("one", is_numbered=True)
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
    fast = plan.fast_sql("one", is_numbered=True)
    assert fast.count("error('reject')") == 1
    marked = fast.replace("error('reject')", "null")
    taken = {number for (number,) in CONNECTION.execute(f"select record_number from ({marked}) where row_hash is not null").fetchall()}
    rules = [None if row["broken_rule"] is None else plan.rules[row["broken_rule"]].rule for row in rows]
    whole = {row["record_number"] for row, rule in zip(rows, rules, strict=True) if rule is None}
    assert taken <= whole, "fast and slow path agree"

    def chosen(numbers: set[int]) -> str:
        return f"(from one where record_number in {(*numbers, -1, -2)})"

    assert len(CONNECTION.execute(plan.fast_sql(chosen(taken), is_numbered=True)).fetchall()) == len(taken)
    assert not any(CONNECTION.execute(plan.changes_sql(chosen(taken))).fetchone() or ())
    assert sum(CONNECTION.execute(plan.changes_sql(chosen(whole - taken))).fetchone() or ()) >= len(whole - taken)
    if len(taken) < len(rows):
        with pytest.raises(duckdb.InvalidInputException, match="reject"):
            CONNECTION.execute(fast).fetchall()
    return [(rule, row, row["record_number"] in taken) for rule, row in zip(rules, rows, strict=True)]


@pytest.mark.fault("F4")
@pytest.mark.parametrize(
    "text",
    [
        "12,5",
        "1,234.56",
        "1.234,56",
        "1 234.56",
        "1'234.56",
        "1_000.00",
        "5.00-",
        "(5.00)",
        "€5.00",
        "５.00",
        "1e2",
        " 5.00",
        "5.",
        "+5.00",
        "0x10",
    ],
)
def test_anything_but_plain_digits_with_the_declared_sign_is_quarantined(text: str) -> None:
    assert cast("refunds", refund_amount=text)[0] == "number_format"


@pytest.mark.fault("F4")
def test_a_decimal_comma_counts_only_where_it_is_declared() -> None:
    assert cast("refunds", refund_amount="10,50", written={"decimal": ","})[1]["refund_amount"] == Decimal("10.50")
    assert cast("refunds", refund_amount="1.234", written={"decimal": ","})[0] == "number_format", "1.234 is never guessed"


@pytest.mark.fault("F12")
@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("10.005 EUR", "decimals"),
        ("10.001 EUR", "decimals"),
        ("10.0001 KWD", "decimals"),
        ("10.5 JPY", "decimals"),
        ("10.5000 EUR", None),
        ("10.005 KWD", None),
        ("10.0050 BHD", None),
        ("10.00 JPY", None),
        ("10 EUR", None),
        (".50 EUR", None),
        ("99999999999999999.00 EUR", "number_range"),
    ],
)
def test_money_with_more_decimals_than_its_currency_is_refused_and_never_rounded(text: str, rule: str | None) -> None:
    amount, currency = text.split()
    found, row = cast("refunds", refund_amount=amount, currency_code=currency)[:2]
    assert found == rule
    assert rule or row["refund_amount"] == Decimal(amount)


@pytest.mark.fault("F16")
@pytest.mark.parametrize("text", ["inf", "-inf", "nan", "NaN", "Infinity", "N/A", "null"])
def test_infinities_nan_and_undeclared_null_words_are_refused(text: str) -> None:
    assert cast("refunds", refund_amount=text)[0] == "number_format"
    assert cast("refunds", refunded_at=text)[0] == "instant_format"


@given(st.lists(st.decimals(min_value=0, max_value=10**13, places=2), min_size=MANY, max_size=MANY))
@settings(UNSHRUNK, max_examples=10)
def test_every_amount_with_two_decimals_arrives_unchanged(amounts: list[Decimal]) -> None:
    found = cast_all("refunds", [{"refund_amount": f"{amount:f}"} for amount in amounts])
    assert [(rule, row["refund_amount"], is_fast) for rule, row, is_fast in found] == [(None, amount, True) for amount in amounts]


@pytest.mark.parametrize(
    ("feed", "values", "rule"),
    [
        ("refunds", {"refund_amount": "-1.00"}, "minimum"),
        ("refunds", {"currency_code": "eur"}, "pattern"),
        ("refunds", {"currency_code": None}, "required"),
        ("refunds", {"is_chargeback": "maybe"}, "boolean_format"),
        ("refunds", {"is_chargeback": "TRUE"}, None),
        ("tickets", {"ticket_state": "limbo"}, "closed_list"),
        ("tickets", {"escalation_level": "5"}, "maximum"),
        ("tickets", {"escalation_level": "2.0"}, None),
        ("tickets", {"escalation_level": "2.00"}, None),
        ("tickets", {"escalation_level": "2.5"}, "decimals"),
        ("tickets", {"escalation_level": "2."}, "number_format"),
        ("tickets", {"escalation_level": "1e0"}, "number_format"),
        ("tickets", {"escalation_level": "9223372036854775808.0"}, "number_range"),
        ("tickets", {"first_solved_at": "2025-12-31T23:59:58Z"}, None),
        ("tickets", {"first_solved_at": "2025-12-31T23:59:57Z"}, "order_of_instants"),
        ("tickets", {"closed_at": "2025-12-31T00:00:00Z"}, "order_of_instants"),
        ("interactions", {"ended_at": "2025-12-31T23:59:57Z"}, "order_of_instants"),
        ("self_service_sessions", {"ended_at": "2025-12-31T23:59:57Z"}, "order_of_instants"),
        ("offers", {"accepted_at": "2025-12-31T23:59:57Z"}, "order_of_instants"),
        ("interactions", {"concurrency": "0"}, "minimum"),
        ("interactions", {"ivr_seconds": "-3"}, None),
        ("survey_responses", {"score": "6"}, "scale"),
        ("survey_responses", {"score": "0.5"}, "scale"),
        ("survey_responses", {"score": "5"}, None),
        ("fx_rates", {"rate_date": "01.02.2026"}, "date_format"),
        ("fx_rates", {"rate_date": "2026-02-30"}, "date_format"),
        ("fx_rates", {"exchange_rate": "0"}, "minimum"),
    ],
)
@pytest.mark.fault("F17")
def test_each_rule_of_the_contract_finds_its_offender(feed: str, values: dict[str, str | None], rule: str | None) -> None:
    assert cast(feed, **values)[0] == rule


@pytest.mark.fault("F6")
@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("1.23456789012346E+18", "identifier_format"),
        ("1,23457E+18", "identifier_format"),
        ("2E+17", "identifier_format"),
        ("1234567890123456789", None),
        ("000123", None),
        ("R-1E5", None),
    ],
)
def test_an_identifier_that_a_spreadsheet_rounded_is_refused(text: str, rule: str | None) -> None:
    assert cast("refunds", refund_id=text)[0] == rule
    assert cast("refunds", order_id=text)[0] is None  # a name of another row: it finds nobody, but no record is lost


@given(st.lists(st.tuples(st.integers(-(10**12), 10**12), st.integers(0, 4)), min_size=MANY, max_size=MANY))
@settings(UNSHRUNK, max_examples=6)
def test_a_whole_number_written_with_zero_decimals_is_the_integer(numbers: list[tuple[int, int]]) -> None:
    texts = [f"{number}.{'0' * zeros}" if zeros else str(number) for number, zeros in numbers]
    found = cast_all("interactions", [{"ivr_seconds": text} for text in texts])
    assert [(rule, row["ivr_seconds"], is_fast) for rule, row, is_fast in found] == [(None, number, True) for number, _ in numbers]
    named = cast_all("refunds", [{"order_id": text} for text in texts])
    assert [row["order_id"] for _, row, _ in named] == texts, "an identifier is no number"


@pytest.mark.fault("F16")
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Europe/Rome"])
@pytest.mark.parametrize("word", ["epoch", "infinity", "-infinity"])
def test_a_word_that_the_engine_takes_for_an_instant_is_refused_with_declared_forms_too(word: str, zone: str) -> None:
    written = {"timestamp_formats": ("%d/%m/%Y %H:%M",), "date_formats": ("%d.%m.%Y",)}
    assert cast("refunds", refunded_at=word, zone=zone, written=written)[0] == "instant_format"
    assert cast("fx_rates", rate_date=word, zone=zone, written=written)[0] == "date_format"


@pytest.mark.fault("F15")
@pytest.mark.parametrize("offset", ["+99:99", "+99:00", "-99", "+23:59", "+14:01", "-15:00", "+1500", "+05:75", "-0360"])
def test_an_offset_that_no_place_has_is_refused(offset: str) -> None:
    assert cast("refunds", refunded_at=f"2026-01-01T10:00:00{offset}")[0] == "instant_format"
    assert cast("refunds", refunded_at=f"2026-01-01 10:00:00.123456{offset}")[0] == "instant_format"
    assert cast("refunds", refunded_at=f"2026-01-01T10:00{offset}")[0] == "instant_format"


@pytest.mark.parametrize("offset", ["+14:00", "-12:00", "+05:45", "+0530", "-03", "+00", "Z", ""])
def test_an_offset_that_a_place_has_is_read(offset: str) -> None:
    assert cast("refunds", refunded_at=f"2026-01-01T10:00:00{offset}")[0] is None
    assert cast("refunds", refunded_at="2026-01-30")[0] is None, "a day is no offset"


_ID_SIGNS = st.sampled_from([*BLANKS, *"aA0!-. ", "é", "e\u0301", "\u0301", "ß", "日", "\U0001f600", "\u212b", "Ａ", "ﬁ", "²"])


@given(st.lists(st.lists(_ID_SIGNS, max_size=8).map("".join), min_size=MANY, max_size=MANY))
@settings(UNSHRUNK, max_examples=15)
def test_an_identifier_has_one_form_whatever_its_blanks_and_its_unicode_form(texts: list[str]) -> None:
    found = cast_all("refunds", [{"order_id": text} for text in texts])
    stored = [identifier_value(text) or (None if text else "") for text in texts]
    assert [row["order_id"] for _, row, _ in found] == stored
    plain = [unicodedata.normalize("NFKC", text) for text in texts]
    assert [is_fast for *_, is_fast in found] == [one == text == folded for one, text, folded in zip(stored, texts, plain, strict=True)]


def changes(text: str) -> list[str]:
    plan = casting(load_contract("refunds"), dict.fromkeys(GOOD["refunds"], "VARCHAR"), zone="UTC", dialect=Dialect())
    values = {**GOOD["refunds"], "order_id": text}
    listed = ", ".join(f"?::varchar as {name}" for name in values)
    CONNECTION.execute(f"create or replace temp table one as select {listed}, 1 as record_number", list(values.values()))
    counts = CONNECTION.execute(plan.changes_sql("one")).fetchone() or ()
    return plan.change_messages(counts)


@pytest.mark.parametrize("text", ["ACC1 ", "\u00a0ACC1", "ACC1\u200b", "\ufeffACC1", "\tACC1\r\n"])
def test_identifiers_that_differ_in_outer_blanks_are_one_and_are_counted(text: str) -> None:
    assert changes(text) == ["1 values of order_id were trimmed or brought into one Unicode form"]
    assert cast("refunds", order_id=text)[1]["order_id"] == "ACC1"
    assert cast("refunds", order_id="acc1")[1]["order_id"] == "acc1", "capitals are the source's own"


@pytest.mark.parametrize("text", ["ＡＣＣ１", "ACC①", "A\u00a0CC1", "ｱｶｳﾝﾄ", "\U0001d400CC1"])
def test_identifiers_of_another_width_or_shape_stay_and_are_counted(text: str) -> None:
    (message,) = changes(text)
    assert message.startswith("1 values of order_id hold signs of another width or shape")
    assert cast("refunds", order_id=text)[1]["order_id"] == text
    assert changes(unicodedata.normalize("NFKC", text)) == [], "its plain form is an id like any other"
    assert changes("日本-Zoé") == []


def test_a_key_of_nothing_but_blanks_is_missing() -> None:
    assert cast("refunds", refund_id=" \u00a0")[0] == "required"


def test_a_value_outside_a_list_with_an_unknown_value_becomes_it() -> None:
    rule, row = cast("tickets", channel="telegram")
    assert rule is None
    assert row["channel"] == "other"


def test_defaults_fill_absent_and_empty_columns() -> None:
    row = cast("refunds", refund_reason=None)[1]
    assert (row["refund_reason"], row["is_chargeback"], row["is_deleted"]) == ("other", False, False)


@pytest.mark.fault("F15")
@pytest.mark.parametrize(
    ("zone", "local", "instant"),
    [
        ("Europe/Berlin", "2026-01-15 12:00:00", "2026-01-15 11:00"),
        ("Europe/Berlin", "2026-03-29 02:30:00", "2026-03-29 01:30"),  # gap: shifts forward to 03:30 local
        ("Europe/Berlin", "2026-10-25 02:30:00", "2026-10-25 00:30"),  # ambiguous: the earlier instant
        ("Europe/Berlin", "2026-10-25 03:00:00", "2026-10-25 02:00"),
        ("Australia/Lord_Howe", "2026-04-05 01:45:00", "2026-04-04 14:45"),  # falls back by half an hour
        ("Europe/Berlin", "2026-07-01T12:00:00+05:00", "2026-07-01 07:00"),  # an offset wins over the zone
        ("Europe/Berlin", "2026-07-01T12:00:00Z", "2026-07-01 12:00"),
        ("America/New_York", "2026-07-01", "2026-07-01 04:00"),
    ],
)
def test_local_times_go_through_the_declared_zone(zone: str, local: str, instant: str) -> None:
    rule, row = cast("refunds", refunded_at=local, zone=zone)
    assert rule is None
    assert row["refunded_at"].astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M") == instant  # type: ignore[attr-defined]


ZONES = ("Europe/London", "America/Sao_Paulo", "Asia/Jerusalem", "America/Los_Angeles")


def local_times(zone: str) -> st.SearchStrategy[dt.datetime]:
    """Any second of many years, and as often a minute at night when the zone's offset changes."""
    days = [dt.datetime(2000, 1, 1) + dt.timedelta(day) for day in range(36 * 365)]
    offsets = [day.replace(tzinfo=ZoneInfo(zone)).utcoffset() for day in days]
    changing = [day for day, old, new in zip(days, offsets, offsets[1:], strict=False) if old != new]
    any_time = st.datetimes(days[0], days[-1]).map(lambda local: local.replace(microsecond=0))
    at_night = st.integers(0, 4 * 60) | st.integers(23 * 60, 24 * 60)
    return any_time | st.tuples(st.sampled_from(changing), at_night).map(lambda at: at[0] + dt.timedelta(minutes=at[1]))


@pytest.mark.parametrize("zone", ZONES)
@given(data=st.data())
@settings(UNSHRUNK, max_examples=2)
def test_any_local_time_is_the_instant_python_gives_for_its_first_occurrence(zone: str, data: st.DataObject) -> None:
    whole = data.draw(st.lists(local_times(zone), min_size=MANY, max_size=MANY))
    expected = [local.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(dt.UTC) for local in whole]
    found = cast_all("refunds", [{"refunded_at": local.isoformat(sep=" ")} for local in whole], zone=zone)
    assert [(rule, row["refunded_at"], is_fast) for rule, row, is_fast in found] == [(None, instant, True) for instant in expected]


def test_declared_formats_are_the_only_ones_read() -> None:
    written = {"timestamp_formats": ("%d/%m/%Y %H:%M",), "date_formats": ("%d.%m.%y", "%d.%m.%Y")}
    instant = dt.datetime(2025, 12, 31, 23, 5, tzinfo=dt.UTC)
    assert cast("refunds", refunded_at="31/12/2025 23:05", written=written)[1]["refunded_at"] == instant
    assert cast("refunds", refunded_at="12/31/2025 23:05", written=written)[0] == "instant_format"
    assert cast("fx_rates", rate_date="31.12.2025", written=written)[1]["rate_date"] == dt.date(2025, 12, 31)
    assert cast("fx_rates", rate_date="31.12.25", written=written)[1]["rate_date"] == dt.date(2025, 12, 31)
    for text in ("2025-12-31", "12.31.2025", "29.02.1900", "46053", "31.12.0025"):
        assert cast("fx_rates", rate_date=text, written=written)[0] == "date_format"


@pytest.mark.fault("F4")
@pytest.mark.parametrize(
    ("decimal", "thousands", "text", "amount"),
    [
        (",", ".", "1.234,50", "1234.50"),
        (",", ".", "1.234", "1234.00"),
        (",", ".", "-12.345.678,9", "-12345678.90"),
        (",", ".", "12,50", "12.50"),
        (",", ".", "1234,5", "1234.50"),
        (",", ".", "1.23", None),
        (",", ".", "1.2345,00", None),
        (",", ".", "1,234.50", None),
        (".", ",", "1,234.50", "1234.50"),
        (".", ",", "12,34.50", None),
        (".", ",", ",123", None),
        (".", " ", "1 234.5", "1234.50"),
        (".", "\u202f", "1\u202f234", "1234.00"),
        (".", "\u00a0", "1 234", None),
        (".", "'", "1'234'567.00", "1234567.00"),
        (".", "_", "1_234", "1234.00"),
        (".", None, "1_234", None),
        (".", ",", "1,234-", None),
        (".", ",", "(1,234)", None),
        (".", ",", "€1,234", None),
        (".", ",", "１,234", None),
    ],
)
def test_thousands_count_only_with_the_declared_sign_and_in_groups_of_three(
    decimal: str, thousands: str | None, text: str, amount: str | None
) -> None:
    rule, row = cast("payments", payment_amount=text, written={"decimal": decimal, "thousands": thousands})
    assert (None if rule else row["payment_amount"]) == (amount and Decimal(amount))
    assert rule in (None, "number_format", "decimals")
