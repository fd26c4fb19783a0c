"""The pre-scan counts records itself and refuses what no engine should see."""

from __future__ import annotations

import csv
import gzip
import io
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.errors import InputRefused
from dagster_project.ingest.readers import decoding, formats
from dagster_project.ingest.readers.dialect import Dialect
from dagster_project.ingest.readers.prescan import Prescan, prescan_text
from dagster_project.ingest.readers.records import read_records


def scan(folder: Path, content: bytes, *, name: str = "f.csv", dialect: Dialect | None = None) -> Prescan:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(content)
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    return prescan_text(path, dialect or Dialect(), scratch)


@pytest.mark.parametrize(
    ("content", "records"),
    [
        (b"a,b\n1,2\n3,4\n", 2),
        (b"a,b\n1,2\n3,4", 2),
        (b"a,b\r\n1,2\r\n", 1),
        (b"a,b\n", 0),
        (b"a,b", 0),
        (b"a,b\n1,2\n\n3,4\n\n", 2),
        (b"a,b\r\n1,2\r\n\r\n3,4\r\n", 2),
        (b'a,b\n"x\ny",2\n3,"p""q"\n', 2),
        (b'a,b\n"x\n\ny",2\n', 1),
    ],
)
def test_records_are_counted_by_line_ends_outside_quotes(tmp_path: Path, content: bytes, records: int) -> None:
    assert scan(tmp_path, content).records == records


@given(
    rows=st.lists(st.lists(st.text(alphabet='ab",\n é', max_size=6), min_size=2, max_size=2), max_size=12),
    chunk=st.integers(1, 9),
    end=st.sampled_from(["\n", "\r\n"]),
)
@settings(max_examples=150, deadline=None)
def test_the_vectorised_count_agrees_with_the_exact_reader_for_any_chunk_size(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], chunk: int, end: str
) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator=end).writerows([["a", "b"], *rows])
    folder = tmp_path_factory.mktemp("scan")
    original, decoding.CHUNK_BYTES = decoding.CHUNK_BYTES, chunk
    try:
        found = scan(folder, text.getvalue().encode())
    finally:
        decoding.CHUNK_BYTES = original
    exact = list(read_records(found.readable, found.readable, Dialect(), 2))
    assert found.records == len(exact) == len(rows)
    assert [record.fields for record in exact] == rows
    assert not any(record.fault for record in exact)


@pytest.mark.fault("D5")
def test_a_truncated_archive_is_refused_even_when_the_cut_falls_on_a_line_end(tmp_path: Path) -> None:
    rows = b"".join(b"%d,value %d\n" % (number, number * 7919 % 10007) for number in range(20_000))
    archive = gzip.compress(b"id,text\n" + rows, mtime=0)
    assert scan(tmp_path, archive, name="whole.csv.gz").records == 20_000
    for cut in (len(archive) * 15_793 // 20_000, len(archive) - 8, len(archive) - 1, 20):
        with pytest.raises(InputRefused, match="archive damaged"):
            scan(tmp_path, archive[:cut], name="cut.csv.gz")


@pytest.mark.fault("D5")
def test_an_archive_with_a_wrong_checksum_or_length_is_refused(tmp_path: Path) -> None:
    archive = bytearray(gzip.compress(b"a\n1\n", mtime=0))
    for position in (-8, -1):
        damaged = bytearray(archive)
        damaged[position] ^= 0xFF
        with pytest.raises(InputRefused, match="archive damaged"):
            scan(tmp_path, bytes(damaged), name="bad.csv.gz")


def test_an_archive_of_several_members_is_read_to_its_end(tmp_path: Path) -> None:
    assert scan(tmp_path, gzip.compress(b"a\n1\n") + gzip.compress(b"2\n"), name="two.csv.gz").records == 2


@pytest.mark.fault("D6")
def test_an_empty_file_is_refused_and_a_header_alone_is_an_empty_day(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="0 bytes"):
        scan(tmp_path, b"")
    with pytest.raises(InputRefused, match="no header"):
        scan(tmp_path, gzip.compress(b""), name="empty.csv.gz")
    assert scan(tmp_path, b"a,b\n").records == 0


@pytest.mark.fault("F3")
def test_text_is_decoded_as_declared_and_never_repaired(tmp_path: Path) -> None:
    assert scan(tmp_path, b"\xef\xbb\xbfa\n1\n").columns == ("a",)
    wide = scan(tmp_path, "a\né\n".encode("utf-16"), dialect=Dialect(encoding="utf-16"))
    assert wide.readable.read_text(encoding="utf-8") == "a\né\n"
    latin = scan(tmp_path, "a\né\n".encode("latin-1"), dialect=Dialect(encoding="latin-1"))
    assert latin.readable.read_text(encoding="utf-8") == "a\né\n"
    with pytest.raises(InputRefused, match=r"not utf-8 at byte 2"):
        scan(tmp_path, b"a\n\xe9\n")
    with pytest.raises(InputRefused, match="not utf-8"):
        scan(tmp_path, b"a\n\xed\xa0\x80\n")
    with pytest.raises(InputRefused, match="middle of a character"):
        scan(tmp_path, b"a\n\xc3")
    assert scan(tmp_path, "e\u0301\n1\n".encode()).columns == ("\u00e9",), "names are compared in NFC"


@pytest.mark.fault("F2")
def test_a_nul_byte_and_an_unclosed_quote_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="NUL byte"):
        scan(tmp_path, b"a\n1\x002\n")
    found = scan(tmp_path, b'a,b\n1,2\n"x,3\n4,5\n')
    assert found.needs_exact_reader
    with pytest.raises(InputRefused, match=r"record 2 \(line 3\): a quote is opened and never closed"):
        list(read_records(found.readable, found.readable, Dialect(), 2))


def test_a_lone_carriage_return_is_left_to_the_exact_reader(tmp_path: Path) -> None:
    found = scan(tmp_path, b"a,b\n1,2\r3,4\n")
    assert found.needs_exact_reader
    assert len(list(read_records(found.readable, found.readable, Dialect(), 2))) == 2


@pytest.mark.fault("F7")
def test_an_archive_bomb_is_refused_before_it_is_written_out(tmp_path: Path) -> None:
    bomb = gzip.compress(b"a\n" + b"1\n" * 30_000_000)
    with pytest.raises(InputRefused, match="grows more than 200 times"):
        scan(tmp_path, bomb, name="bomb.csv.gz")
    assert sum(file.stat().st_size for file in (tmp_path / "scratch").iterdir()) < 200 * len(bomb) + decoding.CHUNK_BYTES


@pytest.mark.fault("F8")
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b",".join(b"c%d" % number for number in range(100_000)) + b"\n", "names 100,000 columns"),
        (b"a" * (formats.HEADER_BYTES + 2), "header is longer"),
        (b"a\n" + b"x" * (formats.LINE_BYTES + 2) + b"\n1\n", "longer than"),
        (b"a\n1\n" + b"x" * (40 << 20), "longer than"),
        (b'a\n"' + b"x\n" * (6 << 20), "never closed"),
    ],
    ids=["columns", "header", "field", "last line", "quote"],
)
def test_limits_are_enforced_within_a_second_and_little_memory(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "big.csv"
    path.write_bytes(content)
    tracemalloc.start()
    since = time.process_time()
    with pytest.raises(InputRefused, match=reason):
        prescan_text(path, Dialect(), tmp_path)
    spent, peak = time.process_time() - since, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert spent < 2.0
    assert peak < 200 << 20


@pytest.mark.fault("F10")
def test_a_column_named_twice_or_not_at_all_gets_a_name_and_is_known_as_ambiguous(tmp_path: Path) -> None:
    twice = scan(tmp_path, b"a,b,A\n1,2,3\n")
    assert (twice.columns, twice.ambiguous) == (("a", "b", "A_2"), {"a_2": (3,), "a": (1, 3)})
    unnamed = scan(tmp_path, b"a,,c\n1,2,3\n")
    assert (unnamed.columns, unnamed.ambiguous) == (("a", "column_2", "c"), {"column_2": (2,)})
