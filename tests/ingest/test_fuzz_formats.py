"""Damaged bytes of every format: never a crash or a hang, nothing lost in silence, no value in another column.

Each example is a good file with a few bytes changed. It is refused with a message, or its records are all accounted for, as
counted and read by another reader than ingest's.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import shutil
import time
import zipfile
from collections.abc import Callable
from decimal import Decimal
from itertools import count
from typing import Any
from xml.etree import ElementTree

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagster_project.ingest.sql_text import identifier_value
from tests.ingest.formats_workbook import sheet, workbook

HEADER = ["order_id", "ordered_at", "currency_code", "account_id", "net_amount"]
SECONDS = 5.0  # of processor time for a file of a few hundred bytes
ORDINARY = settings(
    max_examples=15, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
LONG = settings(ORDINARY, max_examples=200, derandomize=False)
HOMES = count()

texts = st.text(alphabet="ab,;\"'\\\n\r\t é€=1", max_size=6)
edits = st.lists(
    st.tuples(st.sampled_from(["set", "insert", "delete", "cut", "double"]), st.floats(0, 1, exclude_max=True), st.integers(0, 255)),
    max_size=4,
)
files = st.tuples(st.lists(texts, max_size=6), edits)


def rows(accounts: list[str]) -> list[list[str]]:
    return [[f"order-{number}", "2026-01-01T10:00:00Z", "EUR", text, f"{number}.50"] for number, text in enumerate(accounts)]


def damaged(content: bytes, changes: list[tuple[str, float, int]]) -> bytes:
    for kind, place, byte in changes:
        at = int(place * len(content))
        new = {"set": bytes([byte]), "insert": bytes([byte]) + content[at : at + 1], "delete": b"", "double": content[at:][:9] * 2}
        content = content[:at] if kind == "cut" else content[:at] + new[kind] + content[at + (9 if kind == "double" else 1) :]
    return content


def walk(make_ingest: Callable[..., Any], name: str, content: bytes) -> dict[int, tuple[str, str | None]] | None:
    """Deliver one file to a new ingest; return None if it is refused, else its rows by record number; -1 holds the counts."""
    ingest = make_ingest(f"home{next(HOMES)}")
    ingest.assumptions = ingest.assumptions.model_copy(update={"quarantine_threshold_rate": Decimal(1)})
    path = ingest.deliver(f"canonical/orders/2026-01-02/{name}", b"")
    path.write_bytes(content)
    since = time.process_time()
    try:
        report = ingest.read()
        assert time.process_time() - since < SECONDS
        (file,) = report.files
        if file.status == "refused":
            assert name in (file.error or "")
            assert "remedy" in (file.error or "")
            assert not list((ingest.settings.lake / "orders").glob("*"))
            return None
        assert file.physical == file.loaded + file.superseded + file.quarantined
        table = pq.read_table(report.batches["orders"][0]).to_pydict()
        numbers = table.get("record_number", range(1, len(table["order_id"]) + 1))
        accounts = table.get("account_id", [None] * len(table["order_id"]))  # a file without the column stores none
        found = dict(zip(numbers, zip(table["order_id"], accounts, strict=True), strict=True))
        assert len(found) == file.loaded
        assert {entry.record_number for entry in file.quarantine}.isdisjoint(found)
        return {**found, -1: (file.physical, file.quarantined)}
    finally:
        shutil.rmtree(ingest.settings.home)
        path.unlink()


def by_csv(content: bytes) -> list[list[str]]:
    text = content.decode("utf-8-sig")
    return [row for row in csv.reader(io.StringIO(text, newline="")) if row]


def csv_file(accounts: list[str]) -> bytes:
    made = io.StringIO()
    csv.writer(made, lineterminator="\n").writerows([HEADER, *rows(accounts)])
    return made.getvalue().encode()


def check_csv(make_ingest: Callable[..., Any], file: tuple[list[str], Any], name: str = "f.csv") -> None:
    plain = csv_file(file[0])
    content = damaged(plain if name == "f.csv" else gzip.compress(plain, mtime=0), file[1])
    found = walk(make_ingest, name, content)
    if found is None:
        assert file[1], "a good file is never refused"
        return
    header, *records = by_csv(content if name == "f.csv" else gzip.decompress(content))
    assert found.pop(-1)[0] == len(records)
    places = [[cell.strip() for cell in header].index(column) if column in header else None for column in ("order_id", "account_id")]
    for number, values in found.items():
        expected = [None if at is None else identifier_value(records[number - 1][at]) or None for at in places]
        assert list(values) == expected, "each value is in its own column"


def check_json(make_ingest: Callable[..., Any], file: tuple[list[str], Any], _: str = "") -> None:
    content = damaged("".join(json.dumps(dict(zip(HEADER, row, strict=True))) + "\n" for row in rows(file[0])).encode(), file[1])
    found = walk(make_ingest, "f.jsonl", content)
    if found is None:
        assert file[1] or not file[0], "a good file is never refused"
        return
    lines = [line for line in content.split(b"\n") if line.strip()]
    assert found.pop(-1)[0] == len(lines)
    for number, (order_id, account_id) in found.items():
        one = {key.strip(): value for key, value in json.loads(lines[number - 1].decode("utf-8-sig")).items()}
        assert (order_id, account_id) == (identifier_value(str(one["order_id"])), identifier_value(one.get("account_id") or "") or None)


def check_sheet(make_ingest: Callable[..., Any], file: tuple[list[str], Any], kind: str) -> None:
    accounts = [text.replace("\r", "") for text in file[0]]
    xml = sheet([HEADER, *rows(accounts)]).encode()
    content = damaged(workbook({"S": xml.decode()}), file[1]) if kind == "zip" else b""
    if kind == "xml":
        content = workbook({"S": ""}, {"xl/worksheets/sheet1.xml": damaged(xml, file[1])})
    found = walk(make_ingest, "f.xlsx", content)
    if found is None:
        assert file[1], "a good file is never refused"
        return
    physical = found.pop(-1)[0]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        part = archive.read("xl/worksheets/sheet1.xml")
    try:
        cells = ["".join(cell.itertext()) for cell in ElementTree.fromstring(part).iter() if cell.tag.endswith("}c")]
    except ElementTree.ParseError:
        return  # calamine reads on where a strict parser stops; its own count is all there is
    assert physical <= part.count(b"<row")
    assert physical >= len(accounts) or file[1]
    cells += [cell.strip() for cell in cells]  # where the damage took xml:space away, outer blanks mean nothing
    for order_id, account_id in found.values():
        assert order_id in cells
        assert account_id is None or account_id in cells


CHECKS = {
    "csv": (check_csv, "f.csv"), "gz": (check_csv, "f.csv.gz"), "jsonl": (check_json, ""),
    "xlsx": (check_sheet, "zip"), "sheet": (check_sheet, "xml"),
}  # fmt: skip


@pytest.mark.fault("D4", "D5", "F1", "F2", "F3")
@pytest.mark.parametrize("form", CHECKS)
@given(file=files)
@ORDINARY
def test_damaged_bytes_are_refused_or_every_record_is_accounted_for(make_ingest: Callable[..., Any], form: str, file: Any) -> None:
    check, word = CHECKS[form]
    check(make_ingest, file, word)


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.parametrize("form", CHECKS)
@given(file=files)
@LONG
def test_many_damaged_files_are_refused_or_accounted_for(make_ingest: Callable[..., Any], form: str, file: Any) -> None:
    check, word = CHECKS[form]
    check(make_ingest, file, word)


@pytest.mark.fault("F8", "D5")
@pytest.mark.parametrize("name", ["f.csv", "f.csv.gz", "f.csv.zst", "f.zip", "f.jsonl", "f.xlsx", "f.parquet"])
@given(content=st.binary(max_size=200))
@settings(ORDINARY, max_examples=5)
def test_bytes_that_are_no_file_of_their_name_are_refused(make_ingest: Callable[..., Any], name: str, content: bytes) -> None:
    assert walk(make_ingest, name, content) is None
