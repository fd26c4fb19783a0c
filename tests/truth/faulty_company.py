"""The demo company with every fault: what ingest did with it, and what truth says it should."""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from dagster_project.errors import ChecksFailed
from dagster_project.ingest.loading import LoadReport
from dagster_project.ledger.entries import StagedFile
from dagster_project.orchestration.run import run_daily
from dagster_project.publish.reader import query
from dagster_project.settings import load_settings

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "demo-company-faults.md"
MESSAGES = {
    "manifest": "differs from its manifest: states rows",
    "archive damaged": "archive damaged",
    "0 bytes": "0 bytes",
    "declared encoding": "not utf-8 at byte",
    "NUL byte": "holds a NUL byte",
    "quote never closed": "a quote is opened and never closed",
    "required column": "did order_date replace it?",
}
"""What ingest says of a file refused for its form; refusals for too many bad records name the rule."""
AFTER_INGEST = {"sign_follows_the_kind_of_order"}
"""Rules that the checks enforce on what ingest loaded."""


def documented() -> list[str]:
    """Names of the faults of which the document says that the product does what it should."""
    return re.findall(r"^\| `(\w+)` \|.*\| yes\b[^|]*\|$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)


@dataclass
class Company:
    """The company with all faults, what ingest did with it, and the home of its published copy once `publish` ran."""

    landing: Path
    truth: dict[str, Any]
    report: LoadReport
    unusual: set[tuple[str, str]]
    home: Path
    refusal: str = ""

    def of(self, *faults: str) -> list[dict[str, Any]]:
        return [entry for entry in self.truth["faults"] if entry["fault"] in faults]

    def names(self, *faults: str) -> list[str]:
        return [name for entry in self.of(*faults) for name in entry["records"]]

    def file(self, entry: dict[str, Any]) -> StagedFile:
        (found,) = [file for file in self.report.files if file.path == entry["file"]]
        return found

    def rows(self, sql: str) -> list[dict[str, Any]]:
        out = io.StringIO()
        query(self.home, sql, "json", out=out)
        return list(json.loads(out.getvalue(), parse_float=Decimal))


def run_without_the_extract(landing: Path, home: Path, until: str | None = None) -> str:
    """Run, and return why the month of the order without a rate has no extract; empty while that month is not complete."""
    try:
        assert run_daily(load_settings(landing=landing, home=home, until=until)).is_new
    except ChecksFailed as error:
        return str(error)
    return ""


def is_handled_by_ingest(company: Company, entry: dict[str, Any]) -> bool:
    """Whether ingest did with the file of an entry what truth says, with its rule."""
    if entry["fault"] == "stale_source":
        return any(notice.startswith(f"stale source: {entry['feed']} ") for notice in company.report.notices)
    if entry["rule"] == "volume" and entry["outcome"] == "warned" and (entry["feed"], entry["day"]) not in company.unusual:
        return False
    file = company.file(entry)
    rules = {record.rule for record in file.quarantine}
    if entry["outcome"] == "refused":
        said = MESSAGES.get(entry["rule"])
        return file.status == "refused" and (said in str(file.error) if said else rules == {entry["rule"]})
    if entry["outcome"] == "quarantined":
        return file.status == "staged" and file.quarantined == entry["count"] and rules == {entry["rule"]}
    if file.status != "staged" or file.quarantined:
        return False
    if entry["fault"] in ("duplicate_file", "repeated_keys"):
        return file.superseded == entry["count"]
    if entry["fault"] in ("new_column", "enum_growth"):
        return any(warning.startswith(entry["file"]) for warning in company.report.warnings)
    return file.physical == file.loaded + file.superseded
