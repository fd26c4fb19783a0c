"""One load: files under temporary names, committed as a set with the state that the next load starts from.

Layout: LANDING/<system>/<stream>/<YYYY-MM-DD>/<source>-<number>[-<object>] with `<file>.manifest.json` next to it. Ingest ignores
names that begin with a dot or end in `.part`. What makes the set visible is in `journals`. It must not know a kind of source.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project.connectors.journals import PART, make_durable, manifest_of, release, write_journal
from dagster_project.settings import fault_point

if TYPE_CHECKING:
    import pyarrow.parquet as pq

LOAD_ROWS = 500_000
"""A load that holds this many rows is committed and another begins: what a crash can cost on a first fetch of years."""
_GROUP_ROWS = 5_000


@dataclass
class LandedFile:
    """A file of a load: path below the landing folder, rows (None: not counted), and for objects the key and etag it came from."""

    path: str
    sha256: str
    rows: int | None = None
    key: str | None = None
    etag: str | None = None


class TableFile:
    """One stream's rows, all text, on their way to a Parquet file under a temporary name; no file without a row."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        """Rows are lists of text or None in the order of `columns`."""
        self.path = path
        self.rows = 0
        self._columns = columns
        self._pending: list[Sequence[str | None]] = []
        self._writer: pq.ParquetWriter | None = None

    def write(self, row: Sequence[str | None]) -> None:
        """Take one row."""
        self._pending.append(row)
        self.rows += 1
        if len(self._pending) >= _GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = pa.schema([(name, pa.string()) for name in self._columns])
        if self._writer is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(self.path, schema, compression="zstd")
        columns = [pa.array(values, pa.string()) for values in zip(*self._pending, strict=True)]
        self._writer.write_table(pa.Table.from_arrays(columns, schema=schema))
        self._pending.clear()

    def close(self) -> None:
        """Write what is left and the footer."""
        if self._pending:
            self._flush()
        if self._writer is not None:
            self._writer.close()


@dataclass
class Load:
    """A load being written. `state` becomes that of the source when the load is committed."""

    landing: Path
    source: str
    system: str
    day: dt.date
    number: int
    state: dict[str, Any]
    tables: dict[str, TableFile] = field(default_factory=dict)
    files: list[LandedFile] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        """Whether the load should end at the next place from which another can go on."""
        return sum(table.rows for table in self.tables.values()) >= LOAD_ROWS

    def path(self, stream: str, suffix: str) -> Path:
        """Return the temporary path of a file of the load."""
        return self.landing / self.system / stream / self.day.isoformat() / f"{self.source}-{self.number:06d}{suffix}{PART}"

    def table(self, stream: str, columns: Sequence[str]) -> TableFile:
        """Return the stream's file of this load, opened at first use."""
        if stream not in self.tables:
            self.tables[stream] = TableFile(self.path(stream, ".parquet"), columns)
        return self.tables[stream]

    def drop(self, stream: str) -> None:
        """Take back what was written for a stream: it holds no news."""
        table = self.tables.pop(stream)
        table.close()
        table.path.unlink(missing_ok=True)

    def add(self, part: Path, **about: Any) -> None:
        """Take a file that is complete under its temporary name into the set; writes its manifest unless its sender did."""
        with part.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        landed = LandedFile(part.relative_to(self.landing).as_posix().removesuffix(PART), sha256, **about)
        if not manifest_of(part).exists():
            stated = {"rows": landed.rows, "sha256": sha256}
            text = json.dumps({name: value for name, value in stated.items() if value is not None})
            manifest_of(part).write_text(text, encoding="utf-8")
        make_durable(self.landing, part, manifest_of(part))
        self.files.append(landed)

    def commit(self, before: dict[str, Any]) -> bool:
        """Make the complete set durable, then visible. Returns False when it holds no news."""
        for table in self.tables.values():
            table.close()
            if table.rows:
                self.add(table.path, rows=table.rows)
        if not self.files and self.state == before:
            return False
        fault_point("fetch_written")
        files = [vars(file) for file in self.files]
        write_journal(self.landing, self.source, self.number, {"day": self.day.isoformat(), "state": self.state, "files": files})
        fault_point("fetch_committed")
        release(self.landing, self.source)
        return True

    def counts(self) -> Counter[str]:
        """Return the rows of each stream; an object counts as one."""
        found: Counter[str] = Counter()
        for file in self.files:
            found[file.path.split("/")[1]] += 1 if file.rows is None else file.rows
        return found
