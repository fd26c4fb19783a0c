"""The interface that everything of the stages after ingest works against, whichever engine holds the warehouse.

SQL handed to an engine is the portable subset: what both engines read alike (see docs/portability.md). A table is named
`schema.table`; its columns are an Arrow schema whose `nullable` is enforced: a null in a field that is not nullable
raises `NullInColumnError` and nothing is replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from dagster_project.engines.lake_files import LakeFile, Withdrawals

Scoring = Callable[[pa.Table], pa.Table]
"""A pure function of one chunk that holds complete groups; it must be picklable by value or importable on an executor."""


class NullInColumnError(ValueError):
    """A value is missing in a column that promised none."""


class Engine(Protocol):
    """A warehouse that can be written. Not safe for use from several threads."""

    def run(self, sql: str) -> None:
        """Execute one statement and forget its result."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return a small result as Python values: Decimal, date, aware datetime, int, str, bool."""

    def read(self, sql: str, *, rows: int = 200_000) -> Iterator[pa.Table]:
        """Yield a result in chunks of at most `rows` rows, in the order the query asks for."""

    def replace(
        self, table: str, columns: pa.Schema, chunks: Iterable[pa.Table], *, where: str | None = None, ordered: bool = False
    ) -> int:
        """Replace a table at once and return the number of rows written; readers see the old rows or the new, never a part.

        Without `where` the complete table. With a condition on its columns only the rows that meet it, e.g. the months from one
        on; all others stay, and `chunks` should hold no row that does not meet it. `ordered`: rows come in the order of months.
        """

    def score(
        self,
        sql: str,
        by: str | None,
        function: Scoring,
        table: str,
        columns: pa.Schema,
        *,
        where: str | None = None,
        ordered: bool = False,
    ) -> int:
        """Stream a query through `function` chunk by chunk into a table, replaced as `replace` does; return the number of rows written.

        A chunk is sorted by column `by` and holds all rows of each of its values; within one value they have no order. Without `by`
        the function works row by row: rows come as the query orders them, in any cut. On Spark it runs on the executors.
        """

    def drop(self, table: str) -> None:
        """Forget a table that `replace` or `score` made; nothing happens when there is none."""

    def empty(self, table: str) -> None:
        """Take every row out of a table that a model of dbt made."""

    def show_feed(self, view: str, columns: pa.Schema, files: Sequence[LakeFile], withdrawn: Withdrawals) -> None:
        """Make the view over files of the lake (`<batch>.parquet`, one folder), with what `lake.batches` says of each.

        Its columns are `columns`, `batch_id`, `row_hash`, `record_number`, `source_system`, `delivery_date`, `change_number`,
        `file_order`, `key_scope` and `is_withdrawn`. A withdrawn key is a row that has its key and what its batch says, nothing else.
        Only files named here can be seen, whatever is next to them; `view` is `schema.feed`.

        Raises
        ------
        InfrastructureError
            A file is gone.
        """

    def columns(self, schemas: Sequence[str]) -> dict[str, pa.Schema]:
        """Return the columns of each table and view of these schemas, keyed by `schema.table`, sorted by key."""


def complete_groups(chunks: Iterable[pa.Table], by: str) -> Iterator[pa.Table]:
    """Cut a stream sorted by column `by` (never null) so that no value of it is in two chunks: the last group waits for more."""
    waiting: list[pa.Table] = []
    for chunk in chunks:
        if not len(chunk):
            continue
        keys = chunk[by]
        cut = pc.index(keys, keys[-1]).as_py()
        if waiting and (cut or waiting[-1][by][-1] != keys[0]):
            yield pa.concat_tables([*waiting, chunk.slice(0, cut)])
            waiting = []
        elif cut:
            yield chunk.slice(0, cut)
        waiting.append(chunk.slice(cut))
    if waiting:
        yield pa.concat_tables(waiting)


def checked(chunk: pa.Table, table: str, columns: pa.Schema) -> pa.Table:
    """Return the chunk with exactly these columns in this order and these types.

    Raises
    ------
    NullInColumnError
        A field that is not nullable has a null.
    """
    for field in columns:
        if not field.nullable and chunk[field.name].null_count:
            raise NullInColumnError(f"{table}: column {field.name} has {chunk[field.name].null_count} empty values, and it must have none")
    return chunk.select(columns.names).cast(columns)
