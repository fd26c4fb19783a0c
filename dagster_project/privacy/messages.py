"""Messages: what the ledger, certificates and Dagster report of delivered records, without what they report of a person.

Holds the cleaning of texts and of names of files; each step may be repeated. It must not change rows of feeds (see `redaction`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from dagster_project.engines.duckdb import connect_memory
from dagster_project.errors import InfrastructureError
from dagster_project.ingest.pii.register import ERASED
from dagster_project.ingest.sources.table_files import FOLDER
from dagster_project.ingest.sql_text import literal
from dagster_project.ledger.store import Ledger
from dagster_project.privacy.person import Person
from dagster_project.privacy.search import Search
from dagster_project.publish.versions import sync
from dagster_project.settings import Settings, dagster_home

_TEXTS = {
    "deliveries": ("error", "drift"),
    "quarantine": ("reason", "raw_text_masked"),
    "check_results": ("observed", "notes"),
    "runs": ("detail",),
}
CERTIFICATES = "certificates"
_REASON = "a record of a forgotten account, or one that is in no delivered file any more"


def erase_quarantine(settings: Settings, ledger: Ledger, found: Search) -> int:
    """Take the values out of the messages about refused records: of the person's, and of those that nobody can look at any more.

    The latter are of files that were replaced, changed or archived: whose they are cannot be found out. Returns how many.
    """
    numbers = {(file.relative, number) for file, listed in found.found.items() for number in listed}
    rows = ledger.rows(
        "select quarantine_id, path, sha256, status, record_number from quarantine_life where raw_text_masked <> ?", [ERASED]
    )
    there = {(file.relative, file.content) for file in found.found if file.path.is_file()}
    gone = {path for path in {row[1] for row in rows} if not (settings.landing / path).is_file()}
    erased = [
        (quarantine_id,)
        for quarantine_id, path, sha256, status, number in rows
        if status == "replaced" or path in gone or ((path, sha256) in there and (path, number) in numbers)
    ]
    sql = "update quarantine set reason = ? || ': rule ' || rule, raw_text_masked = ?, key_sha256 = null where quarantine_id = ?"
    ledger.write((sql, (_REASON, ERASED, *row)) for row in erased)
    errors = [(path,) for path in sorted({file.relative for file in found.found})]
    ledger.write(
        ("update deliveries set error = 'refused; it held records of a forgotten account' where path = ? and error is not null", row)
        for row in errors
    )
    return len(erased)


def clean_texts(settings: Settings, ledger: Ledger, person: Person) -> int:
    """Replace the person's words and phrases in the ledger, in older certificates and in Dagster's storage; return in how many texts.

    The files of the databases are rewritten, so that no freed page keeps them.
    """
    clean = _cleaner(person)
    changed = _clean_database(ledger.path, clean, _TEXTS)
    for path in [*sorted((settings.ops / CERTIFICATES).glob("*.json")), *_dagster_files("*.out", "*.err")]:
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
        if (cleaned := clean(text)) != text:
            path.with_suffix(".tmp").write_text(cleaned, encoding="utf-8", errors="surrogateescape")
            path.with_suffix(".tmp").replace(path)
            changed += 1
    for path in _dagster_files("*.db"):
        changed += _clean_database(path, clean)
    return changed


def searched_folders(settings: Settings) -> list[Path]:
    """Return the folders in which nothing of the person may be left: Dagster's too, where it keeps files."""
    instance = dagster_home()
    return [settings.landing, settings.home, *([instance] if instance is not None and instance.is_dir() else [])]


def rename_files(settings: Settings, ledger: Ledger, person: Person) -> int:
    """Give files whose names speak of the person names that do not, in their folders and wherever they are known; return how many."""
    pattern, renamed = person.pattern(), 0
    for path in sorted(settings.landing.glob("*/*/*/*")):
        name = pattern.sub(person.pseudonym, path.name)
        if name == path.name or not path.is_file():
            continue
        target = path.with_name(name)
        if target.exists():
            raise InfrastructureError(f"{target} is there already; remedy: rename it, then forget the account again")
        old, new = (file.relative_to(settings.landing).as_posix() for file in (path, target))
        path.rename(target)
        sync(target.parent)
        ledger.write((f"update {table} set path = ? where path = ?", (new, old)) for table in ("deliveries", "source_files"))
        for database in (settings.restricted / FOLDER).glob(f"{old.split('/')[0]}.duckdb"):
            with closing(connect_memory()) as connection:
                connection.execute(f"attach {literal(str(database))} as known")
                connection.execute("update known.files set path = ? where path = ?", [new, old])
        renamed += 1
    return renamed


def _cleaner(person: Person) -> Callable[[str], str]:
    pattern, phrases = person.pattern(), sorted(person.phrases, key=len, reverse=True)
    forms = [form for phrase in phrases for form in dict.fromkeys((phrase, json.dumps(phrase)[1:-1]))]

    def clean(text: str) -> str:
        for form in forms:
            if form in text:
                text = text.replace(form, person.pseudonym)
        return pattern.sub(person.pseudonym, text)

    return clean


def _dagster_files(*patterns: str) -> list[Path]:
    """Return files of Dagster's storage: its SQLite databases, or what processes of its runs printed."""
    instance = dagster_home()
    return sorted(path for pattern in patterns for path in instance.rglob(pattern)) if instance is not None else []


def _clean_database(path: Path, clean: Callable[[str], str], texts: dict[str, tuple[str, ...]] | None = None) -> int:
    """Clean these columns of an SQLite file, or every text of every table."""
    changed = 0
    try:
        with closing(sqlite3.connect(path, timeout=300)) as connection:
            connection.execute("pragma secure_delete = on")
            if texts is None:
                tables = [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
                texts = {table: tuple(row[1] for row in connection.execute(f'pragma table_info("{table}")')) for table in tables}
            with connection:
                for table, columns in texts.items():
                    for column in columns:
                        cells = connection.execute(
                            f'select rowid, "{column}" from "{table}" where typeof("{column}") = \'text\''
                        ).fetchall()
                        cleaned_cells = [(cleaned, rowid) for rowid, text in cells if (cleaned := clean(text)) != text]
                        connection.executemany(f'update "{table}" set "{column}" = ? where rowid = ?', cleaned_cells)
                        changed += len(cleaned_cells)
            connection.execute("vacuum")
    except sqlite3.Error as error:
        raise InfrastructureError(f"{path}: {error}; remedy: stop Dagster and forget the account again") from error
    return changed
