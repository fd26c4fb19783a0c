"""The optional manifest beside a delivered file: what the source says it sent, compared with what arrived.

Holds `<file>.manifest.json` (keys `rows`, `sums` by column, `sha256`). It must not load rows.
"""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation

import duckdb

from dagster_project.door.inventory import Delivery
from dagster_project.door.source import Source
from dagster_project.door.spelling import identifier
from dagster_project.errors import InputRefused


def check_manifest(connection: duckdb.DuckDBPyConnection, delivery: Delivery, source: Source) -> None:
    """Compare the file with its manifest (keys `rows`, `sums` by column, `sha256`), when there is one.

    Raises
    ------
    InputRefused
        The manifest is unreadable or states other rows, sums or bytes; both numbers are shown.
    """
    path = delivery.manifest
    if not path.is_file():
        return
    try:
        stated = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
        sums = {str(name): Decimal(str(value)) for name, value in stated.get("sums", {}).items()}
    except (ValueError, AttributeError, InvalidOperation) as error:
        raise InputRefused(f"{path}: not a manifest ({error}); remedy: JSON with rows, sums by column and sha256") from error
    wrong = []
    if "sha256" in stated and stated["sha256"] != source.scan.sha256:
        wrong.append(f"sha256 {stated['sha256']}, found {source.scan.sha256}")
    if "rows" in stated and stated["rows"] != source.scan.records:
        wrong.append(f"rows {stated['rows']:,}, found {source.scan.records:,}")
    absent = [name for name in sums if name not in source.scan.columns]
    found = _sums(connection, source, [name for name in sums if name not in absent]) if sums else {}
    wrong += [f"sum of {name} {sums[name]}, but the file has no such column" for name in absent]
    wrong += [
        f"sum of {name} {sums[name]}, found {value}" for name, value in found.items() if value == "None" or Decimal(value) != sums[name]
    ]
    if wrong:
        raise InputRefused(
            f"{delivery.path}: differs from its manifest: states {'; states '.join(wrong)}; remedy: deliver the file again, complete"
        )


def _sums(connection: duckdb.DuckDBPyConnection, source: Source, columns: list[str]) -> dict[str, str]:
    """Return the exact sums of columns of a file as the source wrote them, for the comparison with its manifest."""
    source.load(connection)
    sums = ", ".join(f"sum(try_cast({identifier(name)} as decimal(38, 6)))" for name in columns)
    row = connection.execute(f"select {sums} from source").fetchone() or ()
    return {name: str(value) for name, value in zip(columns, row, strict=True)}
