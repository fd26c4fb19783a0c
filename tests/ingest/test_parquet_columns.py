"""Types of Parquet that are no amount, no instant and no name: the file is refused by column, unless nobody reads the column."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

GOOD: dict[str, pa.Array] = {
    "order_id": pa.array(["1", "2"]),
    "ordered_at": pa.array(["2026-01-01T10:00:00Z", "2026-01-01T10:00:00Z"]),
    "currency_code": pa.array(["EUR", "EUR"]),
    "net_amount": pa.array([Decimal("5.00"), Decimal("12.34")]),
}


def deliver(ingest: Any, **columns: pa.Array) -> str:
    folder: Path = ingest.settings.landing / "canonical" / "orders" / "2026-01-02"
    folder.mkdir(parents=True)
    pq.write_table(pa.table({**GOOD, **columns}), folder / "a.parquet")
    return "\n".join(ingest.walk().refusals)


@pytest.mark.fault("F12")
@pytest.mark.parametrize("precision", [39, 50, 60, 70, 76])
def test_a_decimal_that_the_engine_would_shift_is_refused(ingest: Any, precision: int) -> None:
    amounts = pa.array([Decimal("5.00"), Decimal("12.34")], pa.decimal256(precision, 2))
    assert f"column net_amount is a decimal of {precision} digits" in deliver(ingest, net_amount=amounts)
    assert ingest.all("select count(*) from lake.orders") == [(0,)]


@pytest.mark.parametrize("precision", [9, 18, 38])
def test_a_decimal_of_up_to_38_digits_is_read_exactly(ingest: Any, precision: int) -> None:
    assert deliver(ingest, net_amount=pa.array([Decimal("5.00"), Decimal("12.34")], pa.decimal128(precision, 2))) == ""
    assert ingest.all("select sum(net_amount) from lake.orders") == [(Decimal("17.34"),)]


@pytest.mark.fault("F12")
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("net_amount", pa.array([dt.timedelta(seconds=1)] * 2)),
        ("ordered_at", pa.array([dt.time(10, 0)] * 2)),
        ("order_id", pa.array([1.0, 2.0])),
        ("account_id", pa.array([1.0, None])),
        ("order_id", pa.array([True, False])),
        ("order_id", pa.array([{"a": 1}, {"a": 2}])),
        ("order_id", pa.array([["A"], ["B"]])),
        ("order_id", pa.array([b"\xff\xff", b"\xfe"])),
        ("currency_code", pa.array([b"EUR", b"EUR"], pa.binary(3))),
    ],
)
def test_a_type_that_is_no_amount_instant_or_name_is_refused_by_column(ingest: Any, name: str, values: pa.Array) -> None:
    assert f"column {name} is " in deliver(ingest, **{name: values})
    assert ingest.all("select count(*) from lake.orders") == [(0,)]


@pytest.mark.fault("F12")
def test_a_column_that_comes_twice_is_refused(ingest: Any) -> None:
    folder: Path = ingest.settings.landing / "canonical" / "orders" / "2026-01-02"
    folder.mkdir(parents=True)
    names = [*GOOD, "Net_Amount"]
    pq.write_table(pa.table([*GOOD.values(), GOOD["net_amount"]], names=names), folder / "a.parquet")
    assert "column net_amount is there 2 times" in "\n".join(ingest.walk().refusals)


def test_a_column_that_nobody_reads_may_have_any_type(ingest: Any) -> None:
    assert deliver(ingest, notes=pa.array([["A"], ["B"]]), wait=pa.array([dt.timedelta(seconds=1)] * 2), share=pa.array([0.5, 1.0])) == ""
    assert ingest.all("select count(*) from lake.orders") == [(2,)]


def test_numbers_may_be_floats_and_words_may_be_coded(ingest: Any) -> None:
    amounts, codes = pa.array([5.0, 12.34]), pa.array(["EUR", "EUR"]).dictionary_encode()
    assert deliver(ingest, net_amount=amounts, currency_code=codes) == ""
    assert ingest.all("select sum(net_amount) from lake.orders") == [(Decimal("17.34"),)]
