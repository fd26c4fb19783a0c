"""Strict casts: what is not exactly the contract's type is refused, and local times go through the declared zone."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ingest.casting_rows import MANY, UNSHRUNK, cast, cast_all


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


def test_a_value_outside_a_list_with_an_unknown_value_becomes_it() -> None:
    rule, row = cast("tickets", channel="telegram")
    assert rule is None
    assert row["channel"] == "other"


def test_defaults_fill_absent_and_empty_columns() -> None:
    row = cast("refunds", refund_reason=None)[1]
    assert (row["refund_reason"], row["is_chargeback"], row["is_deleted"]) == ("other", False, False)


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
