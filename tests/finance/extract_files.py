"""The parts of an extract as rows."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

PARTS = ("header", "lines", "reconciliation", "definitions", "restatements", "checks")
STEM = "fin_roi_extract_ACME---Söhne_2026-10_v1"
"""File names of a first version begin with it."""


def read(folder: Path, part: str) -> list[dict[str, Any]]:
    return list(pq.read_table(folder / f"{STEM[:-2]}{folder.name}_{part}.parquet").to_pylist())


def read_csv(folder: Path, part: str) -> list[dict[str, str]]:
    with (folder / f"{STEM[:-2]}{folder.name}_{part}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))
