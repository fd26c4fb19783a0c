"""Identifiers have one form; what may make two of one is reported. Breaks: a customer counted twice."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.contracts.model import load_contract
from dagster_project.ingest.conform.casting import casting
from dagster_project.ingest.readers.dialect import Dialect
from dagster_project.ingest.sql_text import BLANKS, identifier_value
from tests.ingest.casting_rows import CONNECTION, GOOD, MANY, UNSHRUNK, cast, cast_all

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
