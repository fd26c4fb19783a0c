"""What stays of a forgotten account: its rows under a pseudonym, delivered as canonical files, so that every sum still ties.

Holds the writing of these files, the tombstones' first use, and taking the records out of the delivered files. It must not decide which
records those are.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from dagster_project.contracts.model import load_contract
from dagster_project.ingest.lake import accepted_batches
from dagster_project.ingest.mapping.systems import CANONICAL
from dagster_project.ingest.pii.register import redacted, show, tombstones
from dagster_project.ingest.sql_text import literal
from dagster_project.privacy.person import Person
from dagster_project.privacy.records import remove, sync_new
from dagster_project.privacy.search import OWN, LandingFile, Search, content_hash


def deliver_redacted(search: Search, landing: Path) -> dict[str, int]:
    """Write the rows that the found records became, under the pseudonym, on the day they were delivered; rows by path.

    One file a batch, named after it: written twice it is the same file. Rows whose file has changed since it was read were delivered
    by an earlier attempt.
    """
    lake, person = search.lake, search.person
    show(lake.connection, [*tombstones(lake.ledger), *person.tombstones])
    written: dict[str, int] = {}
    for feed, day, batch, numbers in _batches(search):
        contract = load_contract(feed)
        listed = ", ".join(map(str, sorted(numbers)))
        rows = f"(select * from {lake.relations[feed]} where batch_id = {literal(batch)} and record_number in ({listed}))"
        names = ", ".join(name for name in contract.names if contract.column(name).hashed is None)
        name = f"{OWN}{person.pseudonym}-{batch}.parquet"
        target = landing / CANONICAL / feed / day / name
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{name}.forget")
        sql = f"select {names} from ({redacted(contract, rows, mentions=mentions(person))}) order by record_number"
        copied = lake.connection.execute(f"copy ({sql}) to {literal(str(draft))} (format parquet)").fetchone()
        if copied and copied[0]:
            sync_new(target, draft)
            written[target.relative_to(landing).as_posix()] = int(copied[0])
        draft.unlink(missing_ok=True)
    return written


def mentions(person: Person) -> str:
    """Return the pattern of the person's words as the engine writes it; it knows no look-around, so it may find a little more."""
    return person.pattern().pattern.replace("(?<![0-9A-Za-z])", "").replace("(?![0-9A-Za-z])", "").replace("(?!)", r"[^\s\S]")


def _batches(search: Search) -> list[tuple[str, str, str, set[int]]]:
    """Feed, day, batch and numbers of the removed records, for each batch that holds any."""
    lake = search.lake
    numbers: dict[str, set[int]] = defaultdict(set)
    for file, found in search.found.items():
        numbers[content_hash(file.path)] |= found
    days = {batch.batch_id: batch.delivery_date.isoformat() for batch in accepted_batches(lake.ledger)}
    sql = "select b.feed, b.batch_id, d.sha256 from batches b join deliveries d on d.file_id = b.file_id where b.status = 'accepted'"
    known = [row for row in lake.ledger.rows(sql) if row[2] in numbers and row[0] in lake.relations]
    return [(feed, days[batch], batch, numbers[sha256]) for feed, batch, sha256 in sorted(known)]


def take_out(found: dict[LandingFile, set[int]]) -> dict[str, int]:
    """Take the records out of their files; a manifest told of the file as it was and goes. Records by path."""
    counts = {}
    for file, numbers in sorted(found.items(), key=lambda item: item[0].relative):
        manifest = file.path.with_name(f"{file.path.name}.manifest.json")
        manifest.unlink(missing_ok=True)
        remove(file.path, file.dialect, numbers)
        counts[file.relative] = len(numbers)
    return counts
