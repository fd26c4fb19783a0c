"""Packed files: damaged, nested, swelling, lying. Breaks: half a file loads, or a disk fills."""

from __future__ import annotations

import gzip
import stat
import zipfile
from typing import Any

import pytest
from backports import zstd

from tests.ingest.format_files import COLUMNS, CSV, HEADER, ROWS, deliver, refused, zipped
from tests.ingest.formats_workbook import sheet, workbook


@pytest.mark.fault("D5")
def test_a_damaged_archive_of_any_kind_is_refused_whole(ingest: Any) -> None:
    rows = HEADER.encode() + b"".join(b"o%d,2026-01-01T10:00:00Z,EUR,a%d,10.00\n" % (n, n * 7919 % 10007) for n in range(2_000))
    packed = zstd.compress(rows, options={zstd.CompressionParameter.checksum_flag: 1})
    for cut in (len(packed) // 2, len(packed) - 1):
        assert "archive damaged" in refused(ingest, "cut.csv.zst", packed[:cut])
    assert "archive damaged" in refused(ingest, "bad.csv.zst", packed[:-1] + bytes([packed[-1] ^ 1]))
    archive = zipped(("a.csv", rows))
    assert "archive damaged" in refused(ingest, "cut.zip", archive[: len(archive) // 2])
    at = archive.index(b"PK\x01\x02")
    for place in (16, 24):  # checksum and size that the directory states
        wrong = bytearray(archive)
        wrong[at + place] ^= 1
        assert "archive damaged" in refused(ingest, "wrong.zip", bytes(wrong))


@pytest.mark.fault("F7")
def test_bombs_nested_archives_links_and_paths_are_refused_before_anything_is_written(ingest: Any) -> None:
    bomb = HEADER.encode() + b"o,2026-01-01T10:00:00Z,EUR,a,1\n" * 400_000
    assert "grows more than 200 times" in refused(ingest, "a.csv.zst", zstd.compress(bomb))
    assert "grows more than 200 times" in refused(ingest, "a.zip", zipped(("a.csv", bomb)))
    assert "grows more than 200 times" in refused(ingest, "a.xlsx", workbook({"S": sheet([COLUMNS])}, {"xl/media/x.xml": b" " * (8 << 20)}))
    lying = bytearray(zipped(("a.csv", bomb)))
    for mark, place in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = lying.index(mark) + place
        lying[at : at + 4] = (1_000).to_bytes(4, "little")
    assert "archive damaged" in refused(ingest, "lying.zip", bytes(lying))
    assert "an archive within an archive" in refused(ingest, "b.zip", zipped(("a.xlsx", workbook({"S": sheet([COLUMNS])}))))
    assert "format not supported" in refused(ingest, "b.zip", zipped(("a.tar", CSV)))
    for inner in (gzip.compress(CSV), zstd.compress(CSV), zipped(("a.csv", CSV))):
        assert "is an archive again" in refused(ingest, "b.csv.gz", gzip.compress(inner))
    assert "is an archive again" in refused(ingest, "b.zip", zipped(("a.csv.gz", gzip.compress(CSV))))
    for path in ("../a.csv", "/a.csv", "..\\a.csv", "C:a.csv", "x/../../a.csv"):
        assert "archive names the path" in refused(ingest, "c.zip", zipped((path, CSV)))
    link = zipfile.ZipInfo("a.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert "is a link or a device" in refused(ingest, "d.zip", zipped((link, b"/etc/hostname")))
    assert "archive of 2 files where one belongs" in refused(ingest, "e.zip", zipped(("a.csv", CSV), ("b.csv", CSV)))
    assert "archive of 0 files" in refused(ingest, "f.zip", zipped())
    locked = bytearray(zipped(("a.csv", CSV)))
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    assert "is encrypted" in refused(ingest, "g.zip", bytes(locked))


@pytest.mark.parametrize("name", ["a.tsv.zip", "a.zip"])
def test_the_file_in_a_zip_tells_the_delimiter(ingest: Any, name: str) -> None:
    counts, error = deliver(ingest, name, zipped(("day.tsv", CSV.replace(b",", b"\t"))))
    records = CSV.count(b"\n") - 1
    assert (counts, error) == ((records, records, 0, 0), "")


@pytest.mark.fault("F1")
def test_a_packed_file_is_read_as_it_is_and_unpacked_where_a_record_is_wrong(ingest: Any) -> None:
    many = HEADER + "".join(f"o{number},2026-01-01T10:00:00Z,EUR,a1,10.00\n" for number in range(999))
    counts, _ = deliver(ingest, "a.csv.gz", gzip.compress((many + "o999,2026-01-01T10:00:00Z,EUR\n").encode()))
    assert counts == (1000, 999, 0, 1)
    assert ingest.ledger.rows("select line_number, rule from quarantine") == [(1001, "field_count")]
    wide = f"o1,2026-01-01T10:00:00Z,EUR,{''.join(map(str, range(500_000)))},10.00\n"
    assert deliver(ingest, "b.csv.gz", gzip.compress((HEADER + wide + ROWS).encode(), 1))[0][:2] == (5, 4)
