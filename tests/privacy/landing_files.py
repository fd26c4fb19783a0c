"""Deliveries of the tests of forgetting, as they are written, packed and read again."""

from __future__ import annotations

import gzip
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
from backports import zstd

from dagster_project.ingest.sql_text import identifier
from dagster_project.privacy.forget import erase_from_landing

ORDERS = "order_id,account_id,contact_id,ordered_at,currency_code,net_amount,source_updated_at\n"


def order(number: int, account: str, contact: str, net: str = "10.00") -> str:
    return f"o{number},{account},{contact},2026-01-01T10:00:00Z,EUR,{net},\n"


def erase(ingest: Any, account: str = "acc-zoe") -> Any:
    return erase_from_landing(ingest.settings, ingest.ledger, account, lambda _: None)


def pack(path: Path, text: bytes) -> None:
    """Write a file as its suffix says; a zip holds one of its own name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    suffix = path.suffix.lower()
    if suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(path.stem, text)
    else:
        path.write_bytes({".gz": gzip.compress, ".zst": zstd.compress}.get(suffix, bytes)(text))


def unpack(path: Path) -> bytes:
    suffix = path.suffix.lower()
    if suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return archive.read(path.stem)
    return {".gz": gzip.decompress, ".zst": zstd.decompress}.get(suffix, bytes)(path.read_bytes())


def below(folder: Path) -> bytes:
    return b"".join(unpack(path) for path in sorted(folder.rglob("*")) if path.is_file())


def texts(home: Path) -> dict[str, str]:
    """Everything that a reader of each table below HOME sees, by file."""
    found = {}
    for path in sorted(path for path in home.rglob("*") if path.is_file()):
        relations = [f"read_parquet('{path}')"] if path.suffix == ".parquet" else []
        with duckdb.connect(str(path) if path.suffix == ".duckdb" else ":memory:", read_only=path.suffix == ".duckdb") as connection:
            if path.suffix == ".duckdb":
                tables = connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()
                relations = [f"{identifier(schema)}.{identifier(table)}" for schema, table in tables]
            found[str(path)] = "\n".join(str(connection.execute(f"select * from {relation}").fetchall()) for relation in relations)
        if path.suffix == ".sqlite":
            with closing(sqlite3.connect(path)) as connection:
                found[str(path)] = "\n".join(connection.iterdump())
    return found
