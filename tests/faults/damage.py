"""Files of a landing folder that nobody can read, one of each kind; shared by the tests of runs, plans and single files."""

from __future__ import annotations

import gzip
import io
import os
import random
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

ORDERS = "order_id,ordered_at,currency_code,net_amount\n"
DAY = Path("canonical/orders/2026-10-03")
LONG = "l" * 245 + ".csv"
FILES = {
    **{
        name: f"{name}: "
        for name in (
            "locked.csv", "cut.csv.gz", "flipped.csv.gz", "cut.zip", "cut.xlsx", "flipped.parquet", "empty.csv", "zeros.csv", "picture.bmp",
        )
    },
    LONG: f"{LONG}: its name has more than",
    "\\xff\\xfe.csv": "\\xff\\xfe.csv: its name is not UTF-8",
    "loop.csv": "loop.csv is a link that leads nowhere",
    "nowhere.csv": "nowhere.csv is a link that leads nowhere",
    "outside.csv": "outside.csv points outside the landing folder",
    "pipe.csv": "pipe.csv is no ordinary file",
}  # fmt: skip
"""Files by the name under which the ledger keeps them, and what a message says of each."""
FOLDERS = {
    "canonical/orders/9999-12-31": "there is no such day",
    "canonical/orders/2026-02-30": "there is no such day",
    "canonical/orders/0001-01-01": "there is no such day",
    "canonical/orders/2126-01-01": "the day of delivery is later than tomorrow",
    "canonical/tickets/2026-10-04": "is a link that leads nowhere",
    "elsewhere": "points outside the landing folder",
}
"""Folders below the landing folder, and what a message says of each."""


@dataclass
class Day:
    """A small company with one unreadable file of each kind, planned and run, and run again with nothing new."""

    landing: Path
    home: Path
    planned: subprocess.CompletedProcess[str]
    ran: Any
    again: Any


def order(number: int) -> str:
    return f"X{number},2026-10-02T10:00:00Z,EUR,1.00\n"


def _flipped_parquet() -> bytes:
    """A Parquet file of which a compressed page is broken, the footer whole."""
    names = ORDERS.strip().split(",")
    rows = [order(number).strip().split(",") for number in range(2_000)]
    buffer = io.BytesIO()
    pq.write_table(
        pa.table({name: [row[at] for row in rows] for at, name in enumerate(names)}), buffer, compression="snappy", use_dictionary=False
    )
    data = bytearray(buffer.getvalue())
    for at in range(200, 260):
        data[at] ^= 0xFF
    return bytes(data)


def _zip(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, ORDERS + "".join(map(order, range(500))))
    return buffer.getvalue()


def _packed() -> bytes:
    numbers = random.Random(7)
    rows = "".join(f"X{numbers.randrange(10**9)},2026-10-02T10:00:00Z,EUR,1.00\n" for _ in range(5_000))
    return gzip.compress((ORDERS + rows).encode())


def write_unreadable(landing: Path) -> None:
    """Write each of `FILES` and `FOLDERS`."""
    day = landing / DAY
    day.mkdir(parents=True, exist_ok=True)
    for name in ("locked.csv", LONG, os.fsdecode(b"\xff\xfe.csv")):
        (day / name).write_text(ORDERS + order(1), encoding="utf-8")
    (day / "locked.csv").chmod(0o000)
    (day / "cut.csv.gz").write_bytes(_packed()[:-9])
    (day / "flipped.csv.gz").write_bytes(_packed().replace(_packed()[200:210], b"\xff" * 10, 1))
    (day / "cut.zip").write_bytes(_zip("a.csv")[:-30])
    (day / "cut.xlsx").write_bytes(_zip("xl/workbook.xml")[:-30])
    (day / "flipped.parquet").write_bytes(_flipped_parquet())
    (day / "empty.csv").write_bytes(b"")
    (day / "zeros.csv").write_bytes(b"\0" * 100)
    (day / "picture.bmp").write_bytes(b"BM")
    (day / "loop.csv").symlink_to("loop.csv")
    (day / "nowhere.csv").symlink_to("gone.csv")
    (day / "outside.csv").symlink_to("/etc/passwd")
    os.mkfifo(day / "pipe.csv")
    for impossible in ("9999-12-31", "2026-02-30", "0001-01-01", "2126-01-01"):
        (day.parent / impossible).mkdir()
        (day.parent / impossible / "a.csv").write_text(ORDERS + order(2), encoding="utf-8")
    (landing / "canonical" / "tickets" / "2026-10-04").symlink_to("2026-10-04")
    (landing / "elsewhere").symlink_to("/etc")
