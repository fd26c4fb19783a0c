"""The same orders from every format; an unknown one is refused."""

from __future__ import annotations

import codecs
import gzip
from typing import Any

import pytest
from backports import zstd

from tests.ingest.format_files import COLUMNS, CSV, OBJECT, deliver, lines, refused, zipped
from tests.ingest.formats_workbook import sheet, workbook


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", CSV),
        ("A.CSV", CSV),
        ("a.tsv", CSV.replace(b",", b"\t")),
        ("a.txt", CSV.replace(b",", b"\t")),
        ("a.csv.gz", gzip.compress(CSV)),
        ("a.csv.gz", gzip.compress(CSV[:99]) + gzip.compress(CSV[99:])),
        ("a.csv.gz", gzip.compress(codecs.BOM_UTF8 + CSV)),
        ("a.csv.zst", zstd.compress(CSV)),
        ("a.csv.zst", zstd.compress(CSV[:99]) + zstd.compress(CSV[99:])),
        ("a.csv.zip", zipped(("a.csv", CSV))),
        ("export.zip", zipped(("2026/", b""), ("2026/orders.tsv", CSV.replace(b",", b"\t")))),
        ("a.jsonl", lines(*[{**OBJECT, "order_id": f"o{number}"} for number in range(4)])),
        ("a.ndjson.zip", zipped(("b.ndjson", lines(*[{**OBJECT, "order_id": f"o{number}"} for number in range(4)])))),
        ("a.jsonl.gz", gzip.compress(lines(*[{**OBJECT, "order_id": f"o{number}"} for number in range(4)]))),
        ("a.jsonl.zst", zstd.compress(lines(*[{**OBJECT, "order_id": f"o{number}"} for number in range(4)]))),
        ("a.xlsx", workbook({"S": sheet([COLUMNS, *[[f"o{n}", "2026-01-01T10:00:00Z", "EUR", "a1", 10] for n in range(4)]])})),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_same_orders_arrive_from_every_format(ingest: Any, name: str, content: bytes) -> None:
    assert deliver(ingest, name, content) == ((4, 4, 0, 0), "")
    assert ingest.all(
        "select order_id, ordered_at::varchar, net_amount::decimal(18, 2)::varchar, record_number from lake.orders order by 1"
    ) == [(f"o{number}", "2026-01-01 10:00:00+00", "10.00", number + 1) for number in range(4)]
    assert deliver(ingest, name, content) == ((4, 0, 4, 0), ""), "and the same bytes again add nothing"


@pytest.mark.parametrize("name", ["a.docx", "a.csv.bz2", "a.xls", "csv", "a.parquet.gz", "a.csv.gz.gz"])
def test_an_unknown_suffix_is_refused_with_the_known_ones(ingest: Any, name: str) -> None:
    assert "format not supported; supported: csv, tsv, txt, jsonl" in refused(ingest, name, CSV)
