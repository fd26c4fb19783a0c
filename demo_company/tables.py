"""The truth as Parquet tables next to the landing folder, written month by month; nothing of the product reads them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from demo_company.draws import Floats, Integers
from demo_company.files import NULL


class TruthTables:
    """One open file per table; a table has the columns of its first rows."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, pq.ParquetWriter] = {}

    def add(self, name: str, columns: Mapping[str, Integers | Floats]) -> None:
        """Append rows; NULL becomes null."""
        table = pa.table({
            column: pa.array(values, mask=values == NULL if values.dtype == np.int64 else None) for column, values in columns.items()
        })  # fmt: skip
        if name not in self._open:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._open[name] = pq.ParquetWriter(self._folder / f"{name}.parquet", table.schema, compression="zstd")
        if len(table):
            self._open[name].write_table(table)

    def close(self) -> None:
        """Finish the files."""
        for writer in self._open.values():
            writer.close()
        self._open = {}
