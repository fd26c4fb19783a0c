"""Streams that the SELECTs of other streams look at: their rows as delivered, kept as text, and shown as relations by their names.

Holds the text copies below HOME/restricted (they may hold personal data in the clear) and the relations over them. Which files a
delivery looks at is decided by `inventory`, from the content of the landing folder alone; here only their rows are found.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from dagster_project.contracts.model import Column, Contract
from dagster_project.errors import InputRefused
from dagster_project.ingest.landing.inventory import Delivery, LookedUp
from dagster_project.ingest.mapping.drift import compare
from dagster_project.ingest.mapping.systems import Stream, System
from dagster_project.ingest.pii.hash_key import make_restricted
from dagster_project.ingest.readers.source import open_source
from dagster_project.ingest.sql_text import identifier, literal
from dagster_project.ledger.store import Ledger
from dagster_project.settings import Settings

_ACCEPTED = """
select d.system, d.stream, d.sha256, b.path from batches b join deliveries d on d.file_id = b.file_id
where b.status = 'accepted' and b.feed = d.system || '.' || d.stream
"""


def text_contract(system: System, name: str) -> Contract:
    """Return what a text copy holds, in the form of a feed's contract: every read column as text, no key."""
    columns = tuple(Column(name=column, sql_type="varchar", description="as delivered") for column in system.stream(name).read_columns)
    return Contract(feed=f"{system.name}.{name}", version="", purpose="looked up by other streams", domain="", owner="", columns=columns)


def text_folder(settings: Settings) -> Path:
    """Make the folder of the text copies, closed to everyone but its owner, and return it."""
    make_restricted(settings.restricted)
    folder = settings.restricted / "streams"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


class Lookups:
    """Text copies by their content, the files refused in this run, and the relations shown last."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, settings: Settings, ledger: Ledger) -> None:
        """Index the text copies that the ledger knows."""
        self.connection = connection
        self.settings = settings
        self.refused: set[str] = set()
        self.copies: dict[tuple[str, str, str], list[Path]] = {
            (system, stream, sha256): [settings.home / path] for system, stream, sha256, path in ledger.rows(_ACCEPTED)
        }
        self._shown: dict[str, tuple[str, list[Path]]] = {}

    def add(self, delivery: Delivery, sha256: str, places: Sequence[Path]) -> None:
        """Know the copy of a file of this run; it lies at the first of the places that exists."""
        self.copies[delivery.system, delivery.stream, sha256] = list(places)

    def show(self, delivery: Delivery, system: System) -> None:
        """Make the temporary relations that the SELECTs of this delivery look at.

        Raises
        ------
        InputRefused
            One of the files to look at was refused.
        """
        for name, files in delivery.beside.items():
            stream = system.stream(name)
            paths = [self._place(delivery, system, name, file) for file in files]
            shown = self._shown.get(name)
            if shown == (system.name, paths):
                continue
            if stream.key and paths:
                is_longer = shown is not None and shown[0] == system.name and paths[: len(shown[1])] == shown[1]
                self._add_versions(name, stream, paths[len(shown[1]) if is_longer and shown else 0 :], is_first=not is_longer)
                rows = f"select * from {_table(name)}"
            elif paths:
                rows = f"select * from {_read(paths)}"
            else:
                nothing = ", ".join(f"null::varchar as {identifier(column)}" for column in stream.read_columns)
                rows = f"select {nothing}, null::bigint as record_number limit 0"
            self.connection.execute(f"create or replace temp view {identifier(name)} as {rows}")
            self._shown[name] = (system.name, paths)

    def _add_versions(self, name: str, stream: Stream, paths: Sequence[Path], *, is_first: bool) -> None:
        """Keep the latest row per key: of the files in their order, then of the records in a file."""
        latest = list(reversed(dict.fromkeys(reversed(paths))))
        place = f"list_position([{', '.join(literal(str(path)) for path in latest)}], filename)"
        rows = f"select * exclude (filename), {place} as place from {_read(latest, with_name=True)}"
        if not is_first:
            rows += f" union all by name select *, 0 as place from {_table(name)}"
        key = ", ".join(map(identifier, stream.key))
        self.connection.execute(
            f"create or replace temp table {_table(name)} as select * exclude (place) from ({rows})"
            f" qualify row_number() over (partition by {key} order by place desc, record_number desc) = 1"
        )

    def _place(self, delivery: Delivery, system: System, name: str, file: LookedUp) -> Path:
        for place in self.copies.get((system.name, name, file.sha256), []):
            if place.is_file():
                return place
        try:
            if file.relative in self.refused:
                raise InputRefused(file.relative)
            return self._read_ahead(system, name, file)
        except InputRefused as error:
            raise InputRefused(
                f"{delivery.path}: looks at {file.relative}, which was refused; remedy: mend that file first, or remove it"
            ) from error

    def _read_ahead(self, system: System, name: str, file: LookedUp) -> Path:
        """Copy the text of a file before its turn, for this run only: streams that look each other up cannot all be read first."""
        stream, path = system.stream(name), self.settings.landing / file.relative
        scratch = self.settings.scratch
        source = open_source(self.connection, path, file.relative, stream, scratch)
        compare(source, system, name)
        source.load(self.connection, stream.read_columns)
        copy = scratch / f"{name}-{file.sha256}.parquet"
        columns = ", ".join(map(identifier, stream.read_columns))
        self.connection.execute(f"copy (select {columns}, record_number from source) to {literal(str(copy))} (format parquet)")
        source.discard()
        self.copies[system.name, name, file.sha256] = [copy]
        return copy


def _table(name: str) -> str:
    return identifier(f"latest {name}")


def _read(paths: Sequence[Path], *, with_name: bool = False) -> str:
    listed = ", ".join(literal(str(path)) for path in paths)
    return f"read_parquet([{listed}], union_by_name = true{', filename = true' if with_name else ''})"
