"""What must be seen in a file for each fault of the demo company, and the company to see it in."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dagster_project.demo.faults.landing import KEYS

ACCOUNTS, MONTHS, SEED = 400, 6, 7
OUTCOMES = {"refused", "quarantined", "superseded", "unchanged", "late", "warned"}
IDS = (Path(__file__).resolve().parents[1] / "faults" / "matrix.txt").read_text(encoding="utf-8").split()
Rows = list[dict[str, str]]


class Company:
    def __init__(self, landing: Path, truth: dict[str, Any]) -> None:
        self.landing, self.truth = landing, truth
        self.faults: list[dict[str, Any]] = truth.get("faults", [])

    def of(self, fault: str) -> list[dict[str, Any]]:
        return [entry for entry in self.faults if entry["fault"] == fault]

    def bytes(self, entry: dict[str, Any], where: str = "file") -> bytes:
        return (self.landing / entry[where]).read_bytes()

    def rows(self, path: str | Path) -> Rows:
        return list(csv.DictReader(io.StringIO((self.landing / path).read_text(encoding="utf-8-sig"), newline="")))

    def named(self, entry: dict[str, Any], where: str = "file") -> Rows:
        """The records that truth names, as the file has them."""
        rows = [row for row in self.rows(entry[where]) if key(entry["feed"], row) in entry["records"]]
        assert {key(entry["feed"], row) for row in rows} == set(entry["records"])
        return rows

    def original(self, entry: dict[str, Any]) -> dict[str, dict[str, str]]:
        """The clean company's file of that feed and day by key."""
        path = self.landing / "canonical" / entry["feed"] / entry["day"] / f"{entry['feed']}.csv"
        return {key(entry["feed"], row): row for row in self.rows(path)}


def key(feed: str, row: dict[str, str]) -> str:
    return "/".join(row[name] for name in KEYS[feed])


def files(landing: Path) -> dict[str, str]:
    return {
        path.relative_to(landing).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in landing.rglob("*") if path.is_file()
    }


Proof = Callable[[Company, Company, dict[str, Any]], bool]
PROOFS: dict[str, Proof] = {}


def shows(*faults: str) -> Callable[[Proof], Proof]:
    """Register what must be seen in the file of each entry of a fault."""

    def register(proof: Proof) -> Proof:
        PROOFS.update(dict.fromkeys(faults, proof))
        return proof

    return register


def one_value(column: str, *values: str) -> None:
    """The named record, a copy under its own key, has one of the values."""

    def proof(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
        (row,) = faulty.named(entry)
        original = row[KEYS[entry["feed"]][0]].rsplit("-", 1)[0]
        known = {other[KEYS[entry["feed"]][0]] for other in clean.original(entry).values()}
        return row[column] in values and original in known and len(faulty.rows(entry["file"])) == len(clean.original(entry)) + 1

    return proof  # type: ignore[return-value]


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
def lies_in_its_manifest(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
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


@shows("decimal_comma")
def writes_commas(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    rows, again = faulty.named(entry), faulty.rows(entry["redelivered_as"])
    return [row["net_amount"].replace(",", ".") for row in rows] == [row["net_amount"] for row in again] and "," in rows[0]["net_amount"]


@shows("excel_ids")
def has_lost_its_ids(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    again = {row["payment_id"] for row in faulty.rows(entry["redelivered_as"])}
    return {row["payment_id"] for row in faulty.named(entry)} == {"2.02611E+17"} and len(again) > 1


PROOFS |= {  # type: ignore[assignment]
    "thousands_separators": one_value("payment_amount", "1.234,56", "1 234.56", "1'234.56"),
    "not_a_number": one_value("net_amount", "NaN", "inf", "N/A"),
    "too_many_decimals": one_value("payment_amount", "12.345"),
    "unknown_code": one_value("order_kind", "barter"),
    "missing_currency": one_value("currency_code", ""),
    "malformed_currency": one_value("currency_code", "€"),
    "future_timestamps": one_value("ordered_at", "2126-01-01 00:00:00Z"),
}


@shows("enum_growth")
def has_a_new_channel(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    (row,) = faulty.named(entry)
    return row.pop("channel") == "hologram" and row.items() <= clean.original(entry)[entry["records"][0]].items()


@shows("negative_amounts")
def has_a_sign(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    column = {"refunds": "refund_amount", "order_lines": "unit_cost", "interactions": "talk_seconds"}[entry["feed"]]
    (row,) = faulty.named(entry)
    return row[column].startswith("-")


@shows("negative_sale")
def sells_for_less_than_nothing(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    ((bad,), (good,)) = faulty.named(entry), faulty.named(entry, "redelivered_as")
    return bad["order_kind"] == "sale" and bad["net_amount"] == "-" + good["net_amount"]


@shows("mixed_currency")
def is_paid_in_another_currency(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    (row,) = faulty.named(entry)
    true = clean.original(entry)[entry["records"][0]]
    known = {"EUR", "GBP", "USD"}
    return (
        row["currency_code"] != true["currency_code"]
        and {row["currency_code"], true["currency_code"]} <= known
        and row["payment_amount"] == true["payment_amount"]
    )


@shows("currency_without_rate")
def is_in_francs(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    order, line = faulty.of("currency_without_rate")
    rates = [row for path in faulty.landing.glob("canonical/fx_rates/*/*.csv") for row in faulty.rows(path)]
    same = faulty.named(order)[0]["order_id"] == faulty.named(line)[0]["order_id"]
    return same and faulty.named(order)[0]["currency_code"] == "CHF" and all(row["from_currency_code"] != "CHF" for row in rates)


@shows("clock_skew")
def has_instants_in_a_wrong_order(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    (row,) = faulty.named(entry)
    at = {name: datetime.fromisoformat(row[name]) for name in ("started_at", "answered_at", "ended_at") if row[name]}
    backwards = (at["started_at"] - min(at.values())).total_seconds()
    return backwards == (1 if entry["outcome"] == "unchanged" else 3_600)


@shows("hostile_names")
def is_hostile(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    column = "account_name" if entry["feed"] == "accounts" else "comment"
    texts = {row[column] for row in faulty.named(entry)}
    signs = ("DROP TABLE", "{{", "{%", "<script>", "=cmd", "../../", "@SUM")
    return len(texts) == entry["count"] and all(any(sign in text for text in texts) for sign in signs)


@shows("orphan_accounts")
def is_known_to_orders_only(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    (account,) = entry["records"]
    rows = [row for path in faulty.landing.glob("canonical/accounts/*/accounts.csv") for row in faulty.rows(path)]
    orders = [row for path in clean.landing.glob("canonical/orders/*/*.csv") for row in clean.rows(path)]
    return account not in {row["account_id"] for row in rows} and account in {row["account_id"] for row in orders}


@shows("merged_accounts")
def is_merged_and_unmerged(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    merged, undone = (faulty.named(part)[0] for part in faulty.of("merged_accounts"))
    return (
        merged["from_account_id"] == undone["from_account_id"] == undone["to_account_id"] != merged["to_account_id"]
        and merged["merged_at"] < undone["merged_at"]
    )


@shows("deleted_tickets")
def is_deleted_or_merged(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    deleted, merged = faulty.named(entry)
    return deleted["is_deleted"] == "true" and merged["merged_into_ticket_id"] not in ("", merged["ticket_id"])


@shows("merge_cycle")
def goes_round(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    one, other = faulty.named(entry)
    return one["merged_into_ticket_id"] == other["ticket_id"] and other["merged_into_ticket_id"] == one["ticket_id"]


@shows("handle_time_outliers")
def talks_for_fifty_hours(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    (row,) = faulty.named(entry)
    return row["talk_seconds"] == "180000" and row["ended_at"] > clean.original(entry)[entry["records"][0]]["ended_at"]


@shows("overlapping_shifts")
def works_more_than_a_day(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    rows = faulty.named(entry)
    return len({(row["agent_id"], row["work_date"]) for row in rows}) == 1 and sum(int(row["state_seconds"]) for row in rows) > 86_400


@shows("dst_nights")
def crosses_the_change_of_clocks(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    (row,) = faulty.named(entry)
    start, end = (datetime.fromisoformat(row[name]) for name in ("started_at", "ended_at"))
    true = clean.original(entry)[entry["records"][0]]
    lasted = datetime.fromisoformat(true["ended_at"]) - datetime.fromisoformat(true["started_at"])
    return (
        start.utcoffset() is not None and end - start == lasted and start.month in (3, 10) and start.weekday() == 6 and start.hour in (1, 2)
    )


@shows("restated_budget")
def is_a_third_version(faulty: Company, clean: Company, entry: dict[str, Any]) -> bool:
    return {(row["budget_version_id"][-3:], row["version_state"]) for row in faulty.named(entry)} == {("-v3", "restated")}
