"""Publish a warehouse that a run has built, into an empty folder: `python -m benchmarks.publish_alone HOME EMPTY_FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

from dagster_project.publish.publisher import publish
from dagster_project.publish.source import WarehouseFile


def main(home: Path, empty: Path) -> str:
    """Return the name of the copy."""
    source = WarehouseFile(home / "warehouse.duckdb")
    return publish(empty, source, run_id="bench", inputs_sha256="", data_as_of=None).pointer.file


if __name__ == "__main__":
    print(main(*map(Path, sys.argv[1:])))
