"""What is in the landing folder and is not in the ledger yet.

Holds the comparison with the ledger and nothing that reads a file's records: a run with nothing new ends here, so this module imports
only the standard library, the ledger, the walk and the mapping index.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

from dagster_project.errors import UsageError
from dagster_project.ingest.landing.clock import until_tomorrow
from dagster_project.ingest.landing.walking import (
    LAYOUT,
    Delivery,
    Unread,
    delivered_files,
    raise_if_broken,
    raise_if_unreadable,
    refused_parts,
)
from dagster_project.ingest.mapping.systems import Mappings
from dagster_project.ledger.entries import KnownFile, StagedFile
from dagster_project.ledger.store import Ledger

__all__ = ["LAYOUT", "Delivery", "Unread", "delivered_files", "new_files", "raise_if_broken", "refused_parts"]


def new_files(
    landing: Path, ledger: Ledger, mappings: Mappings, until: str | None = None, unread: list[Unread] | None = None
) -> list[Delivery]:
    """Return the delivered files that the ledger does not know as loaded by the present reader, in the order to read them.

    A file is known when path, size, time of change and reader agree; when only the time differs its bytes decide.
    Refused files come again until they are repaired or removed, so that a refusal stays visible. Duplicates of a
    file that is read again come along: they have to carry their records themselves now. `unread` is as in `delivered_files`, and gets the
    folders of days after tomorrow; without it a wrong mapping, and what cannot be read by its name, is an error and the clock is not asked.

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
    found: list[Unread] = [] if unread is None else unread
    delivered = list(delivered_files(landing, mappings, found))
    if unread is None:
        raise_if_broken(found)
        raise_if_unreadable(delivered, found)
    else:
        delivered = until_tomorrow(delivered, found)
    wanted = [delivery for delivery in delivered if last is None or delivery.delivery_date <= last]
    fresh = {delivery.relative for delivery in wanted if _is_new(delivery, known.get(delivery.relative), ledger)}
    read_again = {known[relative].file_id for relative in fresh if relative in known}
    fresh |= {relative for relative, entry in known.items() if entry.duplicate_of in read_again}
    return [delivery for delivery in delivered if delivery.relative in fresh]


def as_staged(delivery: Delivery) -> StagedFile:
    """Return a file as the ledger keeps it before it is read."""
    return StagedFile(
        delivery.system, delivery.stream, delivery.delivery_date.isoformat(), delivery.relative, "", delivery.bytes, delivery.mtime_ns,
        delivery.reader_hash, "staged",
    )  # fmt: skip


def _is_new(delivery: Delivery, entry: KnownFile | None, ledger: Ledger) -> bool:
    if entry is None or entry.reader_hash != delivery.reader_hash or entry.bytes != delivery.bytes:
        return True
    if entry.mtime_ns != delivery.mtime_ns:
        try:
            is_changed = _sha256(delivery) != entry.sha256
        except OSError:
            return True  # the code that reads it says what is wrong
        if is_changed:
            return True
        ledger.touch(entry.file_id, delivery.mtime_ns)
    return False


def _sha256(delivery: Delivery) -> str:
    with delivery.path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
