"""What must be seen in a file for each fault of the demo company, and the company to see it in."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from demo_company.faults.landing import KEYS

ACCOUNTS, MONTHS, SEED = 400, 6, 7
OUTCOMES = {"refused", "quarantined", "superseded", "unchanged", "late", "warned"}
IDS = (Path(__file__).resolve().parents[1] / "faults" / "matrix.txt").read_text(encoding="utf-8").split()
Rows = list[dict[str, str]]


class Company:
    def __init__(self, landing: Path, truth: dict[str, Any]) -> None:
        self.landing, self.truth = landing, truth
        self.faults: list[dict[str, Any]] = truth.get("faults", [])

    def of(self, fault: str) -> list[dict[str, Any]]:
        return [entry for entry in self.faults if entry["fault"] == fault]

    def bytes(self, entry: dict[str, Any], where: str = "file") -> bytes:
        return (self.landing / entry[where]).read_bytes()

    def rows(self, path: str | Path) -> Rows:
        return list(csv.DictReader(io.StringIO((self.landing / path).read_text(encoding="utf-8-sig"), newline="")))

    def named(self, entry: dict[str, Any], where: str = "file") -> Rows:
        """The records that truth names, as the file has them."""
        rows = [row for row in self.rows(entry[where]) if key(entry["feed"], row) in entry["records"]]
        assert {key(entry["feed"], row) for row in rows} == set(entry["records"])
        return rows

    def original(self, entry: dict[str, Any]) -> dict[str, dict[str, str]]:
        """The clean company's file of that feed and day by key."""
        path = self.landing / "canonical" / entry["feed"] / entry["day"] / f"{entry['feed']}.csv"
        return {key(entry["feed"], row): row for row in self.rows(path)}


def key(feed: str, row: dict[str, str]) -> str:
    return "/".join(row[name] for name in KEYS[feed])


def files(landing: Path) -> dict[str, str]:
    return {
        path.relative_to(landing).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in landing.rglob("*") if path.is_file()
    }


Proof = Callable[[Company, Company, dict[str, Any]], bool]
PROOFS: dict[str, Proof] = {}


def shows(*faults: str) -> Callable[[Proof], Proof]:
    """Register what must be seen in the file of each entry of a fault."""

    def register(proof: Proof) -> Proof:
        PROOFS.update(dict.fromkeys(faults, proof))
        return proof

    return register
