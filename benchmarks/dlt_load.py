"""What the ecosystem suggests for loading: dlt, each feed as typed Arrow batches through its Parquet loader into one DuckDB file.

Run as `python -m benchmarks.dlt_load LANDING FILE.duckdb FOLDER`. Afterwards schema `lake` has a view for each feed with the
columns that the dbt models read, so that `dbt build --exclude service_roi.reporting` makes the same marts on it. It checks no record,
keeps no ledger of files and quarantines nothing. Needs the dependency group `bench`.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}

import dlt
import duckdb
import pyarrow as pa

from benchmarks.loaded_lake import show_lake
from dagster_project.contracts.model import Contract, feeds, load_contract

ROWS = 200_000


def files_of(landing: Path, feed: str) -> list[Path]:
    """All files of a feed, in the order of delivery."""
    return sorted((landing / "canonical" / feed).glob("*/*.csv"))


def batches(landing: Path, contract: Contract) -> Iterator[pa.Table]:
    """Typed rows of all files of a feed, with the file each came from."""
    files = files_of(landing, contract.feed)
    header = files[0].open(encoding="utf-8").readline().rstrip("\n").replace('"', "").split(",")
    types = ", ".join(f"{name}: '{contract.column(name).sql_type}'" for name in header)
    names = ", ".join(f"'{file}'" for file in files)
    with duckdb.connect(config={"threads": "2"}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        rows = connection.execute(
            f"select * from read_csv([{names}], columns = {{{types}}}, auto_detect = false, header = true, delim = ',', quote = '\"',"
            " escape = '\"', nullstr = '', filename = 'source_file')"
        )
        yield from (pa.Table.from_batches([batch]) for batch in rows.to_arrow_reader(ROWS))


def load(landing: Path, database: Path, folder: Path) -> list[str]:
    """Load every feed that was delivered and return their names."""
    delivered = [feed for feed in feeds() if files_of(landing, feed)]
    pipeline = dlt.pipeline(
        "service_roi_bench", pipelines_dir=str(folder), destination=dlt.destinations.duckdb(str(database)), dataset_name="raw"
    )
    resources = [dlt.resource(batches(landing, load_contract(feed)), name=feed, write_disposition="replace") for feed in delivered]
    pipeline.run(resources, loader_file_format="parquet").raise_on_failed_jobs()
    return delivered


def main(landing: Path, database: Path, folder: Path) -> dict[str, object]:
    """Load, show the lake, and say how long each took."""
    start = time.perf_counter()
    delivered = load(landing, database, folder)
    loaded = time.perf_counter()
    show_lake(database, delivered)
    return {"seconds": {"dlt": round(loaded - start, 2), "views": round(time.perf_counter() - loaded, 2)}, "feeds": len(delivered)}


if __name__ == "__main__":
    print(json.dumps(main(*map(Path, sys.argv[1:]))))
