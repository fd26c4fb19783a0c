"""What lies in the landing folder and is not in the ledger yet.

Holds the comparison with the ledger and nothing that reads a file's records: a run with nothing new ends here, so this module imports
only the standard library, the ledger, the walk and the mapping index.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from dagster_project.errors import UsageError
from dagster_project.ingest.landing.walking import LAYOUT, Delivery, LookedUp, Unread, delivered_files, raise_if_broken
from dagster_project.ingest.mapping.systems import Mappings
from dagster_project.ledger.entries import KnownFile
from dagster_project.ledger.store import Ledger

__all__ = ["LAYOUT", "Delivery", "LookedUp", "Unread", "delivered_files", "new_files", "raise_if_broken", "with_beside"]


def new_files(
    landing: Path, ledger: Ledger, mappings: Mappings, until: str | None = None, unread: list[Unread] | None = None
) -> list[Delivery]:
    """Return the delivered files that the ledger does not know as loaded by the present reader, in the order to read them.

    A file is known when path, size, time of change, reader and what it looks at agree; when only the time differs its bytes decide.
    Refused files come again until they are mended or removed, so that a standing refusal stays visible. Duplicates of a
    file that is read again come along: they have to carry their records themselves now. `unread` is as in `delivered_files`.

    Raises
    ------
    UsageError
        See `delivered_files`; also an `until` that is no date.
    """
    try:
        last = None if until is None else dt.date.fromisoformat(until)
    except ValueError as error:
        raise UsageError(f"until {until}: not a date of the form YYYY-MM-DD") from error
    known = ledger.known_files()
    delivered = with_beside(list(delivered_files(landing, mappings, unread)), known, mappings)
    wanted = [delivery for delivery in delivered if last is None or delivery.delivery_date <= last]
    fresh = {delivery.relative for delivery in wanted if _is_new(delivery, known.get(delivery.relative), ledger)}
    read_again = {known[relative].file_id for relative in fresh if relative in known}
    fresh |= {relative for relative, entry in known.items() if entry.duplicate_of in read_again}
    ordered = [delivery for delivery in delivered if delivery.relative in fresh]
    return sorted(ordered, key=lambda delivery: mappings.system(delivery.system).rank(delivery.stream))


def _is_new(delivery: Delivery, entry: KnownFile | None, ledger: Ledger) -> bool:
    if entry is None or entry.reader_hash != delivery.reader_hash or entry.bytes != delivery.bytes:
        return True
    if entry.mtime_ns != delivery.mtime_ns:
        if _sha256(delivery, None) != entry.sha256:
            return True
        ledger.touch(entry.file_id, delivery.mtime_ns)
    return False


def _sha256(delivery: Delivery, entry: KnownFile | None) -> str:
    if entry is not None and (entry.bytes, entry.mtime_ns) == (delivery.bytes, delivery.mtime_ns):
        return entry.sha256
    with delivery.path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def with_beside(deliveries: list[Delivery], known: Mapping[str, KnownFile], mappings: Mappings) -> list[Delivery]:
    """Name for each delivery the files that its stream looks up, and make their content part of how it is read.

    Files that left the landing folder still count where the ledger knows them: what was read stays read.
    """
    beside = {delivery.relative: mappings.system(delivery.system).stream(delivery.stream).beside for delivery in deliveries}
    looked_up = {(delivery.system, name) for delivery in deliveries for name in beside[delivery.relative]}
    if not looked_up:
        return deliveries
    files = {path: entry.sha256 for path, entry in known.items() if tuple(path.split("/", 2)[:2]) in looked_up}
    files |= {
        delivery.relative: _sha256(delivery, known.get(delivery.relative))
        for delivery in deliveries
        if (delivery.system, delivery.stream) in looked_up
    }
    days: dict[tuple[str, str], list[str]] = defaultdict(list)
    contents: dict[tuple[str, str], list[LookedUp]] = defaultdict(list)
    for path in sorted(files):
        system, stream, day, _ = path.split("/", 3)
        days[system, stream].append(day)
        contents[system, stream].append(LookedUp(path, files[path]))

    def seen(delivery: Delivery, name: str) -> tuple[LookedUp, ...]:
        stream, day = (delivery.system, name), delivery.delivery_date.isoformat()
        first = 0 if mappings.system(delivery.system).stream(name).key else bisect_left(days[stream], day)
        return tuple(contents[stream][first : bisect_right(days[stream], day)])

    return [
        _looking_at(delivery, {name: seen(delivery, name) for name in beside[delivery.relative]}) if beside[delivery.relative] else delivery
        for delivery in deliveries
    ]


def _looking_at(delivery: Delivery, beside: Mapping[str, Sequence[LookedUp]]) -> Delivery:
    digest = hashlib.sha256(delivery.reader_hash.encode())
    for name, files in beside.items():
        digest.update("\0".join((name, *(file.sha256 for file in files))).encode() + b"\n")
    return replace(delivery, reader_hash=digest.hexdigest()[:32], beside={name: tuple(files) for name, files in beside.items()})
