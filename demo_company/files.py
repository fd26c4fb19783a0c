"""Columns of whole numbers and how each is written: identifiers, codes, instants, days, decimals, flags.

The simulation holds every value as int64 (seconds, cents, positions in a code list) with one null mark, so that sums
are exact; text appears only here, when a file is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from demo_company.draws import Flags, Integers

NULL = np.iinfo(np.int64).min
Batch = dict[str, Integers]
"""Columns of equal length; names that start with an underscore are for the simulation and never written."""


class Column(Protocol):
    """How one column of whole numbers becomes text of the contract's type."""

    def arrow(self, values: Integers, missing: Flags) -> pa.Array:
        """Arrow array with the missing rows null."""


@dataclass(frozen=True)
class Identifier:
    """Prefix and number, zero-padded so that text order is number order."""

    prefix: str
    width: int

    def arrow(self, values: Integers, missing: Flags) -> pa.Array:
        """E.g. 17 becomes T000000017."""
        digits = pc.utf8_lpad(pa.array(values, mask=missing).cast(pa.string()), self.width, "0")
        return pc.binary_join_element_wise(self.prefix, digits, "")


@dataclass(frozen=True)
class Code:
    """Position in a closed list of texts."""

    texts: tuple[str, ...]

    def arrow(self, values: Integers, missing: Flags) -> pa.Array:
        """Look up the text at each position."""
        return pa.array(self.texts).take(pa.array(values, mask=missing))


PACK = 10**12


@dataclass(frozen=True)
class Mixed:
    """One of several columns by row: value `PACK * part + value in that part`."""

    parts: tuple[Column, ...]

    def arrow(self, values: Integers, missing: Flags) -> pa.Array:
        """Texts of all parts, each where it applies."""
        part, inner = values // PACK, values % PACK
        return pc.coalesce(
            *(column.arrow(np.where(part == place, inner, 0), missing | (part != place)) for place, column in enumerate(self.parts))
        )


@dataclass(frozen=True)
class Decimals:
    """Whole number of units of 10**-scale."""

    scale: int

    def arrow(self, values: Integers, missing: Flags) -> pa.Array:
        """Decimal without a float in between: the two 64-bit halves are laid out directly."""
        halves = np.empty((len(values), 2), dtype=np.int64)
        halves[:, 0] = values
        halves[:, 1] = values >> 63
        whole = pa.Array.from_buffers(pa.decimal128(38, self.scale), len(values), [None, pa.py_buffer(halves)])
        return pc.if_else(pa.array(missing), pa.scalar(None, whole.type), whole) if missing.any() else whole


@dataclass(frozen=True)
class Whole:
    """Plain whole number."""

    def arrow(self, values: Integers, missing: Flags) -> pa.Array:
        """Unchanged."""
        return pa.array(values, mask=missing)


@dataclass(frozen=True)
class Flag:
    """0 or 1, written false or true."""

    def arrow(self, values: Integers, missing: Flags) -> pa.Array:
        """Boolean."""
        return pa.array(values == 1, mask=missing)


@dataclass(frozen=True)
class Instant:
    """Seconds since 1970 in UTC, written `2026-10-31 17:00:00Z`."""

    def arrow(self, values: Integers, missing: Flags) -> pa.Array:
        """Timestamp with the zone UTC."""
        return pa.array(values, mask=missing).cast(pa.timestamp("s", tz="UTC"))


@dataclass(frozen=True)
class Day:
    """Seconds since 1970 at midnight UTC, written `2026-10-31`."""

    def arrow(self, values: Integers, missing: Flags) -> pa.Array:
        """Date."""
        return pa.array(np.where(missing, 0, values) // 86_400, mask=missing).cast(pa.int32()).cast(pa.date32())


def rows(batch: Batch) -> int:
    """Count the rows of a batch."""
    return len(next(iter(batch.values())))


def stack(batches: list[Batch]) -> Batch:
    """One batch under another; all must have the same columns."""
    return batches[0] if len(batches) == 1 else {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}


def take(batch: Batch, selection: Integers | Flags) -> Batch:
    """Rows by position or by flag."""
    return {name: values[selection] for name, values in batch.items()}


def write_csv(path: Path, batch: Batch, columns: dict[str, Column]) -> None:
    """Write one file: header, comma, line feed, quotes only where a text column may need them, nothing for null."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table({name: column.arrow(batch[name], batch[name] == NULL) for name, column in columns.items()})
    plain = all(not isinstance(column, Code) or not set(',"\n\r') & set("".join(column.texts)) for column in columns.values())
    with path.open("wb") as sink:
        sink.write((",".join(columns) + "\n").encode())
        csv.write_csv(table, sink, csv.WriteOptions(include_header=False, quoting_style="none" if plain else "needed"))
