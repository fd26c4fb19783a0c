"""A company whose customers have hostile names and whose files hold personal data, from landing to extract, and one customer forgotten.

What breaks without it: a name that is run as code, an address in a published byte, a customer who is still there after erasure.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import stat
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from dagster_project.errors import UsageError
from dagster_project.orchestration.run import run_daily
from dagster_project.privacy.forget import forget
from dagster_project.privacy.proof import look
from dagster_project.publish.reader import query
from dagster_project.settings import load_settings
from demo_company.company import write_company
from demo_company.faults.values import HOSTILE

pytestmark = [pytest.mark.slow, pytest.mark.nightly]
PROJECT = Path(__file__).resolve().parents[2]
SECRET = "canary-of-the-secret-store-0123456789"
FORGOTTEN = "A0000007"
NAME = "Zoe Canarysdottir"
EMAIL, PHONE = "Zoe.Canary@Example.org", "+41 (0)44 668 18 42"
CANARIES = re.compile(r"(?i)canarysdottir|zoe\.canary|446681842|44 668 18 42|\+41 \(0\)44")
FILE = "it's <script>{{ x }} =cmd.csv"


@dataclass
class Company:
    """Where it lies, and what its run said."""

    landing: Path
    home: Path
    said: list[str] = field(default_factory=list)

    def text(self, sql: str, form: str = "csv") -> str:
        out = io.StringIO()
        query(self.home, sql, form, out=out)
        return out.getvalue()

    def column(self, sql: str) -> list[str]:
        return [row[0] for row in csv.reader(io.StringIO(self.text(sql), newline=""), strict=True)][1:]

    def forget(self, kill_at: str = "") -> subprocess.CompletedProcess[str]:
        command = [
            sys.executable,
            "-m",
            "dagster_project.commands.cli",
            "forget",
            FORGOTTEN,
            "--yes",
            "--landing",
            self.landing,
            "--home",
            self.home,
        ]
        environment = {**os.environ, "ROI_HASH_KEY": SECRET, "ROI_FAULT_POINT": kill_at}
        return subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)


def deliver(landing: Path, feed: str, rows: list[dict[str, str]]) -> None:
    """Add a file on the feed's last day; every row starts as the first row delivered that day."""
    day = sorted((landing / "canonical" / feed).iterdir())[-1]
    with next(day.iterdir()).open(encoding="utf-8", newline="") as file:
        pattern = next(csv.DictReader(file))
    names = list(dict.fromkeys([*pattern, *(name for row in rows for name in row)]))
    with (day / FILE).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows({**pattern, **row} for row in rows)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    folder = tmp_path_factory.mktemp("hostile")
    landing = folder / "landing"
    write_company(landing, accounts=40, months=3, seed=11)
    personal = {"account_id": FORGOTTEN, "contact_id": "", "comment": f"I am {NAME}, write to {EMAIL} or call {PHONE}"}

    def hostile(key: str, *columns: str) -> list[dict[str, str]]:
        return [{key: f"H{at}", "contact_id": ""} | dict.fromkeys(columns, text) for at, text in enumerate(HOSTILE)]

    named = hostile("account_id", "account_id", "account_name", "segment")
    deliver(landing, "accounts", [*named, {"account_id": FORGOTTEN, "account_name": NAME}])
    deliver(landing, "contacts", [{"contact_id": "C-canary", "account_id": FORGOTTEN, "email_hash": EMAIL, "phone_hash": PHONE}])
    deliver(landing, "orders", hostile("order_id", "account_id"))
    deliver(landing, "tickets", hostile("ticket_id", "account_id", "issue_code"))
    deliver(landing, "survey_responses", [*hostile("response_id", "account_id", "comment"), {"response_id": "P", **personal}])
    deliver(landing, "ledger_actuals", hostile("journal_id", "cost_centre"))
    company = Company(landing, folder / "home")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ROI_HASH_KEY", SECRET)
        run_daily(load_settings(landing=landing, home=company.home), report=company.said.append)
    return company


@pytest.mark.fault("S1", "S2", "S3")
def test_hostile_texts_are_published_as_the_text_they_are(company: Company) -> None:
    assert set(HOSTILE) <= set(company.column("select account_id from marts.dim_account"))
    assert set(HOSTILE) <= set(company.column("select segment from marts.dim_account where segment is not null"))
    assert set(HOSTILE) <= {row["account_id"] for row in json.loads(company.text("select account_id from marts.fct_order", "json"))}
    table = [
        line.strip() for line in company.text("select account_id from marts.fct_ticket where ticket_id like 'H%'", "table").splitlines()
    ]
    assert set(HOSTILE) <= set(table)
    (exports,) = (path for path in (company.home / "published").iterdir() if path.is_dir())
    stored = {row["account_id"] for path in exports.rglob("*dim_account*.parquet") for row in pq.read_table(path).to_pylist()}
    assert set(HOSTILE) <= stored
    assert any(path.endswith(FILE) for path in company.column("select file_path from ops.load_ledger"))


@pytest.mark.fault("S2")
def test_a_spreadsheet_runs_no_cell_of_the_extract(company: Company) -> None:
    (path,) = (company.home / "finance").rglob("*_lines.csv")
    with path.open(encoding="utf-8", newline="") as file:
        cells = {row["cost_centre"] for row in csv.DictReader(file, strict=True)}
    assert {f"'{text}" if text[0] in "=+-@" else text for text in HOSTILE} <= cells
    assert set(HOSTILE) <= set(pq.read_table(path.with_suffix(".parquet"))["cost_centre"].to_pylist())


@pytest.mark.fault("S1", "S4")
def test_no_text_became_code_or_a_path(company: Company) -> None:
    assert not [path for path in company.landing.parent.rglob("*") if path.name in ("stolen.csv", "outside")]
    assert {path.name for path in company.landing.parent.iterdir()} == {"landing", "home", "truth", "truth.json"}
    assert os.environ["HOME"] not in company.text("from marts.dim_account")


@pytest.mark.fault("S7")
def test_no_address_number_or_name_is_in_a_byte_that_leaves_ingest(company: Company) -> None:
    home = company.home
    assert look([company.landing], CANARIES).hits, "the search itself finds nothing"
    assert look([home / "published", home / "finance", home / "reports", home / "ops"], CANARIES).hits == []
    assert not CANARIES.search("\n".join(company.said))
    addresses = re.compile(r"(?i)zoe\.canary|446681842|44 668 18 42")
    assert look([home], addresses).hits == []
    assert company.column("select has_comment from marts.fct_survey_response where response_id = 'P'") == ["true"]


@pytest.mark.fault("S6")
def test_the_key_is_in_no_byte_of_the_home_and_its_secrets_are_closed(company: Company) -> None:
    assert look([company.home], re.compile(SECRET)).hits == []
    assert SECRET not in "\n".join(company.said)
    assert stat.S_IMODE((company.home / "restricted").stat().st_mode) == 0o700


@pytest.fixture(scope="module")
def forgotten(company: Company) -> dict[str, Any]:
    """What was published before, a forgetting killed after its run, and what the next one said."""
    before = company.text("from reporting.roi_month order by all")
    killed = company.forget(kill_at="forget_rebuilt")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    finished = company.forget()
    assert finished.returncode == 0, finished.stderr
    (path,) = (company.home / "ops" / "certificates").iterdir()
    return {"before": before, "stdout": finished.stdout, "certificate": json.loads(path.read_text()), "path": path}


@pytest.mark.fault("S8")
def test_nothing_of_a_forgotten_account_is_left_in_any_byte(company: Company, forgotten: dict[str, Any]) -> None:
    found = re.compile(rf"{CANARIES.pattern}|{FORGOTTEN}|C-canary|C00000009")
    assert look([company.landing, company.home], found).hits == []
    certificate = forgotten["certificate"]
    assert certificate["proof"]["hits"] == []
    assert certificate["pseudonym"] == "FORGOTTEN-1"
    assert certificate["records_removed"][f"canonical/contacts/2026-10-29/{FILE}"] == 1
    assert certificate["rows_kept_under_pseudonym"] == 0, "the killed attempt had delivered them"
    assert sum(certificate["records_removed"].values()) > 10
    assert f"certificate {forgotten['path']}" in forgotten["stdout"]
    assert len(list((company.home / "published").glob("marts-*.duckdb"))) == 1


@pytest.mark.fault("S8")
def test_the_sums_of_every_month_stay_to_the_cent(company: Company, forgotten: dict[str, Any]) -> None:
    assert company.text("from reporting.roi_month order by all") == forgotten["before"]
    assert company.column("select count(*) > 0 from marts.fct_order where account_id = 'FORGOTTEN-1'") == ["true"]
    assert set(HOSTILE) <= set(company.column("select account_id from marts.dim_account"))


@pytest.mark.fault("S8")
def test_an_account_nobody_knows_cannot_be_forgotten(company: Company, forgotten: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="no account A9999999"):
        forget(load_settings(landing=company.landing, home=company.home, hash_key=SECRET), "A9999999")
