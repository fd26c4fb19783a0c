"""What must be seen of faults of whole deliveries and of the form of a file; importing it registers the proofs."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import zlib
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.demo.fault_proofs import Company, key, shows


@shows("duplicate_file")
def is_the_same_file(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    originals = [path for path in faulty.landing.glob("canonical/payments/*/payments.csv") if path.read_bytes() == faulty.bytes(entry)]
    return len(originals) == 1 and originals[0].parent.name < entry["day"] and entry["count"] == len(faulty.rows(entry["file"]))


@shows("repeated_rows")
def repeats_rows(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    elsewhere = [
        row for path in clean.landing.glob("canonical/orders/*/*.csv") if path.parent.name < entry["day"] for row in clean.rows(path)
    ]
    return all(row in elsewhere for row in faulty.named(entry)) and len(faulty.rows(entry["file"])) > entry["count"]


@shows("repeated_keys")
def has_an_older_version(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    true, older = faulty.named(entry)
    return older["payment_amount"] == "0.01" != true["payment_amount"] and older["source_updated_at"] < true["source_updated_at"]


@shows("late_rows")
def comes_within_45_days(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    (path,) = [
        path
        for path in clean.landing.glob("canonical/interactions/*/*.csv")
        if set(entry["records"]) <= {key("interactions", row) for row in clean.rows(path)}
    ]
    days = (date.fromisoformat(entry["day"]) - date.fromisoformat(path.parent.name)).days
    left = {key("interactions", row) for row in faulty.rows(path.relative_to(clean.landing))}
    return 0 < days <= 45 and left.isdisjoint(entry["records"]) and bool(faulty.named(entry))


@shows("header_only", "empty_day")
def has_a_header_and_nothing_else(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    return faulty.bytes(entry).count(b"\n") == 1 and entry["count"] == 0


@shows("volume_anomaly")
def is_far_from_its_volume(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    few, rest = (len(faulty.rows(part["file"])) for part in faulty.of("volume_anomaly"))
    return few * 9 <= rest and len(faulty.rows(entry["file"])) == entry["count"]


@shows("stale_source")
def never_came(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    return not (faulty.landing / entry["file"]).exists() and set(entry["records"]) == set(clean.original(entry))


def _manifest(faulty: Company, file: str) -> dict[str, Any]:
    return dict(json.loads((faulty.landing / f"{file}.manifest.json").read_text(encoding="utf-8")))


@shows("manifest_mismatch")
def is_in_its_manifest(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    lie, right = _manifest(faulty, entry["file"]), _manifest(faulty, entry["redelivered_as"])
    return lie["rows"] == right["rows"] + 1 and Decimal(lie["sums"]["payment_amount"]) == Decimal(right["sums"]["payment_amount"]) + 10


@shows("right_manifests")
def tells_the_truth_in_its_manifest(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    stated, rows = _manifest(faulty, entry["file"]), faulty.rows(entry["file"])
    ((column, total),) = stated["sums"].items()
    digest = hashlib.sha256(faulty.bytes(entry)).hexdigest()
    return stated["rows"] == len(rows) and Decimal(total) == sum(Decimal(row[column]) for row in rows) and stated["sha256"] == digest


@shows("truncated_gzip")
def unpacks_to_whole_lines_and_ends_early(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    unpacker = zlib.decompressobj(wbits=31)
    part, whole = unpacker.decompress(faulty.bytes(entry)), faulty.bytes(entry, "redelivered_as")
    return not unpacker.eof and part.endswith(b"\n") and whole.startswith(part) and 0 < len(part) < len(whole)


@shows("bad_crc")
def fails_its_checksum(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    with pytest.raises(gzip.BadGzipFile, match="CRC"):
        gzip.decompress(faulty.bytes(entry))
    return zlib.decompressobj(wbits=-15).decompress(faulty.bytes(entry)[10:]) == faulty.bytes(entry, "redelivered_as")


@shows("zero_bytes")
def has_no_bytes(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    return faulty.bytes(entry) == b""


@shows("byte_order_mark")
def begins_with_the_mark(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    return faulty.bytes(entry) == b"\xef\xbb\xbf" + (clean.landing / entry["file"]).read_bytes()


@shows("utf16")
def is_utf16(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    return faulty.bytes(entry).decode("utf-16").encode() == faulty.bytes(entry, "redelivered_as")


@shows("latin1")
def is_latin1(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    with pytest.raises(UnicodeDecodeError):
        faulty.bytes(entry).decode()
    return faulty.bytes(entry).decode("latin-1") == faulty.bytes(entry, "redelivered_as").decode()


@shows("nul_byte")
def holds_a_nul(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    return faulty.bytes(entry).count(b"\0") == 1 and b"\0" not in faulty.bytes(entry, "redelivered_as")


@shows("unclosed_quote")
def opens_one_quote(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    return faulty.bytes(entry).count(b'"') == 1 and faulty.bytes(entry).count(b"\n") == entry["count"] + 1


@shows("mixed_line_ends")
def mixes_line_ends(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    returns, ends = faulty.bytes(entry).count(b"\r\n"), faulty.bytes(entry).count(b"\n")
    (row,) = faulty.named(entry)
    return 0 < returns < ends and "\n" in row["comment"] and len(faulty.rows(entry["file"])) == len(clean.original(entry))


@shows("ragged_rows")
def has_a_field_too_few_or_too_many(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    header, *lines = list(csv.reader(io.StringIO(faulty.bytes(entry).decode())))
    widths = [len(fields) for fields in lines if fields[0] in entry["records"]]
    return widths in ([len(header) - 1], [len(header) + 1]) and sum(len(fields) != len(header) for fields in lines) == 1


@shows("reordered_columns")
def has_another_order(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    mine, theirs = faulty.rows(entry["file"]), clean.rows(entry["file"])
    return mine == theirs and list(mine[0]) != list(theirs[0])


@shows("renamed_column")
def lacks_a_required_column(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    header = faulty.rows(entry["file"])[0]
    return "ordered_at" not in header and "order_date" in header and "ordered_at" in faulty.rows(entry["redelivered_as"])[0]


@shows("new_column")
def has_one_column_more(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    return faulty.rows(entry["file"]) == [row | {"mood": "calm"} for row in clean.rows(entry["file"])]
