"""Deliveries of the tests of forgetting, as they are written, packed and read again."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path
from typing import Any

from backports import zstd

from dagster_project.privacy.forget import erase_from_landing

ORDERS = "order_id,account_id,contact_id,ordered_at,currency_code,net_amount,source_updated_at\n"


def order(number: int, account: str, contact: str, net: str = "10.00") -> str:
    return f"o{number},{account},{contact},2026-01-01T10:00:00Z,EUR,{net},\n"


def erase(door: Any, account: str = "acc-zoe") -> Any:
    return erase_from_landing(door.settings, door.ledger, account, lambda _: None)


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
