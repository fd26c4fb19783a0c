"""What stays of a forgotten account: its rows under a pseudonym, delivered as canonical files, so that every sum still ties.

Holds the writing of these files, the first use of the register, and taking the records out of the delivered files. It must not decide which
records those are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from dagster_project.contracts.model import load_contract
from dagster_project.ingest.lake import accepted_batches
from dagster_project.ingest.mapping.systems import CANONICAL
from dagster_project.ingest.pii.register import erased_persons, redacted, register
from dagster_project.ingest.sources.delivered import FILE_BITS
from dagster_project.ingest.sql_text import literal
from dagster_project.ledger.store import REDACTED
from dagster_project.privacy.person import Lake, Person
from dagster_project.privacy.records import remove, sync_new
from dagster_project.privacy.search import LandingFile, Search

_CHANGES = """
select b.feed, b.batch_id, c.system, c.change_number, b.withdrawn_path from batches b join changes c on c.change_number = b.change_number
where b.status = 'accepted' order by c.change_number
"""


class _Change(NamedTuple):
    """What one change brought to a feed."""

    batch_id: str
    system: str
    number: int
    withdrawn_path: str | None


def deliver_redacted(search: Search, landing: Path) -> dict[str, int]:
    """Write the rows that the found records became, under the pseudonym, on the day they were delivered; rows by path.

    One file a batch (of a change: a batch and delivered file), named after it: written twice it is the same file. Rows whose file has
    changed since it was read were delivered by an earlier attempt.
    """
    lake, person = search.lake, search.person
    register(lake.connection, list(dict.fromkeys([*erased_persons(lake.ledger), *person.erased])))
    written: dict[str, int] = {}
    for feed, day, origin, condition in chain(_of_files(search), _of_changes(search)):
        contract = load_contract(feed)
        rows = f"(select r.* from {lake.relations[feed]} as r where {condition})"
        names = ", ".join(name for name in contract.names if contract.column(name).hashed is None)
        name = f"{REDACTED}{person.pseudonym}-{origin}.parquet"
        target = landing / CANONICAL / feed / day / name
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{name}.forget")
        kept = redacted(contract, rows, among=lake.relations[feed], mentions=mentions(person), also=lake.children_of(person).test(contract))
        sql = f"select {names} from ({kept}) order by record_number"
        copied = lake.connection.execute(f"copy ({sql}) to {literal(str(draft))} (format parquet)").fetchone()
        if copied and copied[0]:
            sync_new(target, draft)
            written[target.relative_to(landing).as_posix()] = int(copied[0])
        draft.unlink(missing_ok=True)
    return written


def mentions(person: Person) -> str:
    """Return the pattern of the person's words as the engine writes it; it knows no look-around, so it may find a little more."""
    return person.pattern().pattern.replace("(?<![0-9A-Za-z])", "").replace("(?![0-9A-Za-z])", "").replace("(?!)", r"[^\s\S]")


def _taken(search: Search) -> dict[str, set[int]]:
    """Numbers of the removed records by the content of their file."""
    numbers: dict[str, set[int]] = defaultdict(set)
    for file, found in search.found.items():
        numbers[file.content] |= found
    return numbers


def _of_files(search: Search) -> Iterator[tuple[str, str, str, str]]:
    """Feed, day, batch and condition of the rows, for each batch of one file that holds removed records."""
    lake, numbers = search.lake, _taken(search)
    days = {batch.batch_id: batch.delivery_date.isoformat() for batch in accepted_batches(lake.ledger)}
    sql = "select b.feed, b.batch_id, d.sha256 from batches b join deliveries d on d.file_id = b.file_id where b.status = 'accepted'"
    known = [row for row in lake.ledger.rows(sql) if row[2] in numbers and row[0] in lake.relations]
    for feed, batch, sha256 in sorted(known):
        listed = ", ".join(map(str, sorted(numbers[sha256])))
        yield feed, days[batch], batch, f"batch_id = {literal(batch)} and record_number in ({listed})"


def _of_changes(search: Search) -> Iterator[tuple[str, str, str, str]]:
    """Feed, day, name and condition of the current rows, for each batch of a change and each file that holds removed records.

    A condition holds until the next is asked for.
    """
    lake, numbers = search.lake, _taken(search)
    taken = [no << FILE_BITS | place for no, file in lake.source_files.items() for place in numbers.get(file.sha256, ())]
    if not taken:
        return
    lake.connection.execute("create or replace temp table taken_records as select unnest(?::bigint[]) as record_number", [taken])
    batches: dict[str, list[_Change]] = defaultdict(list)
    for feed, *values in lake.ledger.rows(_CHANGES):
        batches[feed].append(_Change(*values))
    for feed in sorted(batches):
        _find_current(lake, feed, batches[feed])
        held = lake.rows(f"select distinct batch_id, record_number >> {FILE_BITS} from current_rows order by all")
        for batch, number in held:
            day = lake.source_files[int(str(number))].path.split("/")[2]
            own = f"batch_id = {literal(str(batch))}"
            same = " and ".join(f"s.{key} is not distinct from r.{key}" for key in ("record_number", *load_contract(feed).primary_key))
            rows = f"select 1 from current_rows as s where s.{own} and {same}"
            yield feed, day, f"{batch}-{number}", f"r.{own} and r.record_number >> {FILE_BITS} = {number} and exists ({rows})"


def _find_current(lake: Lake, feed: str, batches: list[_Change]) -> None:
    """Make the table of those removed records whose row no later change of the system replaced or took back."""
    keys = load_contract(feed).primary_key
    listed = ", ".join(keys)
    named = ", ".join(f"({literal(batch.batch_id)}, {literal(batch.system)}, {batch.number})" for batch in batches)
    of = f"(values {named}) as t(batch, of_system, of_change) on r.batch_id = t.batch"
    rows = f"(select r.*, t.of_system, t.of_change from {lake.relations[feed]} as r join {of})"
    later = [f"select of_system, of_change, {listed} from {rows}"]
    for batch in batches:
        if batch.withdrawn_path is not None:
            file = literal(str(lake.home / batch.withdrawn_path))
            later.append(f"select {literal(batch.system)}, {batch.number}, {listed} from read_parquet({file})")
    same = " and ".join(f"later.{key} is not distinct from own.{key}" for key in keys)
    lake.connection.execute(
        "create or replace temp table current_rows as"
        f" with own as (select * from {rows} where record_number in (from taken_records)), later as ({' union all '.join(later)})"
        f" select batch_id, record_number, {listed} from own where not exists"
        f" (select 1 from later where later.of_system = own.of_system and later.of_change > own.of_change and {same})"
    )


def take_out(found: dict[LandingFile, set[int]]) -> dict[str, int]:
    """Take the records out of their files; a manifest described the file as it was and goes. Records by path."""
    counts = {}
    for file, numbers in sorted(found.items(), key=lambda item: item[0].relative):
        manifest = file.path.with_name(f"{file.path.name}.manifest.json")
        manifest.unlink(missing_ok=True)
        remove(file.path, file.dialect, numbers)
        counts[file.relative] = len(numbers)
    return counts
