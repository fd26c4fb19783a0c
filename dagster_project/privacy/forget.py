"""Forget one account: erase it from landing and HOME, keep its sums under a pseudonym, prove it, certify it.

Holds the order of the steps. Each can be repeated, so a run that was killed is finished by forgetting the account again: the register
is written first, redacted rows are delivered before records are taken out, and the certificate is written last.
"""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dagster_project.errors import InfrastructureError
from dagster_project.host.lock import warehouse_lock
from dagster_project.ingest.mapping.systems import Mappings
from dagster_project.ingest.pii.hash_key import hash_key
from dagster_project.ingest.pii.register import keep_erased
from dagster_project.ingest.sources.table_files import FOLDER, rewrite
from dagster_project.ledger.store import Ledger
from dagster_project.masking import masked_path
from dagster_project.orchestration.run import RanWithoutFiles, check_folders, run_daily
from dagster_project.privacy.messages import CERTIFICATES, clean_texts, erase_quarantine, rename_files, searched_folders
from dagster_project.privacy.person import Lake, Person, is_telling
from dagster_project.privacy.proof import Proof, look
from dagster_project.privacy.purge import remove_older_batches, remove_older_copies
from dagster_project.privacy.redaction import deliver_redacted, take_out
from dagster_project.privacy.search import LandingFile, Search, files_of_tables, landing_files, search
from dagster_project.privacy.values import find_own_values
from dagster_project.publish.fingerprint import code_hash
from dagster_project.publish.versions import read_pointer, write_synced
from dagster_project.settings import Settings, fault_point, require_apart, require_home

_HOLDER = "forget"
NOT_SEARCHED = (
    "backups and copies outside these folders",
    "the source systems and files that were exported from a published copy",
    "Dagster's storage where it is a database server: only files below DAGSTER_HOME are",
    "names of persons in texts of records that lead to nobody else of this account",
)


@dataclass(frozen=True)
class Certificate:
    """Where the certificate is, and what it contains."""

    path: Path
    content: dict[str, Any]


@dataclass(frozen=True)
class Preview:
    """What forgetting an account would erase: its delivered records by file, and how many contacts are its alone."""

    pseudonym: str
    records: dict[str, int]
    contacts: int

    def lines(self) -> list[str]:
        """Report it, one line a file."""
        total = (
            f"{sum(self.records.values()):,} delivered records of the account in {len(self.records):,} files; {self.contacts:,} contacts"
        )
        files = [f"{count:>10,}  {masked_path(path)}" for path, count in sorted(self.records.items())]
        return [*files, f"{total} that are its alone; its sums would stay as {self.pseudonym}"]


def preview(settings: Settings, account_id: str) -> Preview:
    """Find what `forget` would erase; nothing is changed. Raises as `forget` does until its first change."""
    require_apart(settings)
    require_home(settings)
    check_folders(settings)
    ledger = Ledger(settings.ops)
    with warehouse_lock(settings.ops, _HOLDER):
        lake = Lake(settings, ledger, hash_key(settings, ledger))
        person = lake.person(account_id)
        found = search(lake, person, _files(settings, only_absent=True))
        named = person.pattern()
        records = {named.sub(person.pseudonym, file.relative): len(numbers) for file, numbers in found.found.items()}
        return Preview(person.pseudonym, records, sum(row.kind == "contact" for row in person.erased))


def forget(settings: Settings, account_id: str, *, report: Callable[[str], None] = lambda _: None) -> Certificate:
    """Erase an account and the contacts that are its alone.

    Raises
    ------
    UsageError
        No such account, or a delivered file that is not of its declared encoding.
    InputRefused
        A delivered archive or workbook that ingest would refuse too: the account may be in it.
    InfrastructureError
        Another run holds the warehouse, or something of the account is still found: the message names the files.
    ServiceRoiError
        The run that rebuilds the warehouse was refused; what was erased stays erased, and forgetting again goes on from there.
    """
    require_apart(settings)
    require_home(settings)
    check_folders(settings)
    ledger = Ledger(settings.ops)
    report("look for the account")
    with warehouse_lock(settings.ops, _HOLDER):
        person, done = erase_from_landing(settings, ledger, account_id, report)
    report("rebuild the warehouse")
    try:
        run_daily(settings, full_refresh=True, report=report)
    except RanWithoutFiles as error:  # what no run reads was searched all the same
        report(str(error))
    fault_point("forget_rebuilt")
    report("remove what is older")
    with warehouse_lock(settings.ops, _HOLDER):
        done["batches_removed"] = remove_older_batches(settings, ledger)
        rewrite(settings)
        done["copies_removed"] = remove_older_copies(settings)
        done["ledger_texts_redacted"] += clean_texts(settings, ledger, person)
        fault_point("forget_purged")
        report("search every byte")
        proof = look(searched_folders(settings), person.pattern())
        hits = sorted({*proof.hits, *left_of(settings, ledger, person)})
        if hits:
            raise InfrastructureError(
                f"account forgotten in part: something of it is still in {', '.join(hits)}; remedy: remove it there (or rename the"
                " file) and forget the account again"
            )
        return _certify(settings, person, done, proof)


def left_of(settings: Settings, ledger: Ledger, person: Person) -> list[str]:
    """Return the delivered files and files of tables in which a record of the person remains, found by its columns too."""
    found = search(Lake(settings, ledger, hash_key(settings, ledger)), person, _files(settings, only_absent=False)).found
    return sorted({str(file.database or file.path) for file in found})


def erase_from_landing(settings: Settings, ledger: Ledger, account_id: str, report: Callable[[str], None]) -> tuple[Person, dict[str, Any]]:
    """Take the account's records out of the landing folder and deliver its sums under the pseudonym; the next load follows."""
    lake = Lake(settings, ledger, hash_key(settings, ledger))
    person = lake.person(account_id)
    files = _files(settings, only_absent=True)
    found = search(lake, person, files)
    find_own_values(found, files)
    missing = _missing(settings, found)
    if missing:
        raise InfrastructureError(
            f"rows of the account came from files that are not in {settings.landing} any more: {', '.join(missing)}; remedy: put them back,"
            " then forget the account again"
        )
    keep_erased(ledger, person.erased)
    fault_point("forget_register")
    draft = _draft(settings, person)
    removed = json.loads(draft.read_text(encoding="utf-8")) if draft.exists() else {}
    named = person.pattern()
    records = {named.sub(person.pseudonym, file.relative): len(numbers) for file, numbers in found.found.items()}
    removed = {path: max(records.get(path, 0), removed.get(path, 0)) for path in {*records, *removed}}
    draft.parent.mkdir(parents=True, exist_ok=True)
    write_synced(draft, removed)
    report("deliver its sums under a pseudonym")
    rows = deliver_redacted(found, settings.landing)
    fault_point("forget_delivered")
    report("clean the messages about it")
    texts = erase_quarantine(settings, ledger, found) + clean_texts(settings, ledger, person)
    fault_point("forget_texts_cleaned")
    report("take its records out")
    take_out(found.found)
    fault_point("forget_taken_out")
    renamed = rename_files(settings, ledger, person)
    return person, {
        "records_removed": {masked_path(path): count for path, count in removed.items()},
        "rows_kept_under_pseudonym": sum(rows.values()),
        "redacted_files": sorted(rows),
        "files_renamed": renamed,
        "ledger_texts_redacted": texts,
    }


def _missing(settings: Settings, found: Search) -> list[str]:
    """Files that brought rows of the lake, or rows that source tables still hold, and are not in the landing folder."""
    paths = {file.path for file in found.person.records} | {file.relative for file in found.found}
    return sorted(path for path in paths if not (settings.landing / path).is_file())


def _files(settings: Settings, *, only_absent: bool) -> list[LandingFile]:
    """Everything to search: the delivered files, and what source tables hold (only of files that are not there any more)."""
    mappings = Mappings(settings.mappings)
    tables = files_of_tables(settings.restricted / FOLDER, settings.landing, mappings)
    return [
        *landing_files(settings.landing, mappings),
        *(file for file in tables if not (only_absent and file.path.is_file())),
    ]


def _folder(settings: Settings) -> Path:
    return settings.ops / CERTIFICATES


def _draft(settings: Settings, person: Person) -> Path:
    return _folder(settings) / f"{person.pseudonym}.draft"


def _certify(settings: Settings, person: Person, done: dict[str, Any], proof: Proof) -> Certificate:
    served = read_pointer(settings.home)
    content = {
        "pseudonym": person.pseudonym,
        "account_id_hash": next(row.id_hash for row in person.erased if row.kind == "account"),
        "contacts": sum(row.kind == "contact" for row in person.erased),
        "forgotten_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "forgotten_by": getpass.getuser(),
        "code_sha256": code_hash(),
        "served_copy": served.file if served else None,
        **done,
        "proof": {
            **asdict(proof),
            "folders": [masked_path(str(folder)) for folder in searched_folders(settings)],
            "words_searched": sum(map(is_telling, person.words)),
            "words_searched_by_column_only": sum(not is_telling(word) for word in person.words),
            "values": {
                "ids": len(person.ids),
                "names": len(person.names),
                "hashes": len((person.emails | person.phones) - person.ids),
                "addresses_and_numbers": len(person.addresses),
                "phrases_replaced_in_messages": len(person.phrases),
            },
        },
        "not_searched": NOT_SEARCHED,
    }
    number = 1 + len(list(_folder(settings).glob(f"{person.pseudonym}.*.json")))
    path = _folder(settings) / f"{person.pseudonym}.{number}.json"
    write_synced(path.with_suffix(".tmp"), content)
    path.with_suffix(".tmp").replace(path)
    _draft(settings, person).unlink(missing_ok=True)
    return Certificate(path, content)
