"""Fault C1 at moments nobody chose: run, forget, rollback and extract lose and tear nothing, and again end as if undisturbed.

`KILLS=50 pytest tests/faults/test_kill_at_random_moments.py` kills fifty times each.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from demo_company.company import write_company
from tests.faults.test_kill_at_every_point import answer, pointer
from tests.privacy.landing_files import texts

KILLS = int(os.environ.get("KILLS", "3"))
SYSTEMS = ("zendesk", "shopify", "quickbooks")
BUCKETS = (
    "select sum(physical_count) as read,"
    " sum(loaded_count + superseded_count + quarantined_count + waiting_count) as kept from ops.load_ledger"
)


def _command(arguments: list[str]) -> None:
    os.environ["ROI_HASH_KEY"] = "k" * 40
    sys.argv = ["service-roi", *arguments]
    from dagster_project.commands.cli import main

    main()


@dataclass(frozen=True)
class Place:
    """A company's landing folder and home."""

    folder: Path

    def copied(self, name: str) -> Place:
        shutil.copytree(self.folder, self.folder.parent / name)
        return Place(self.folder.parent / name)

    def command(self, name: str, account: str) -> list[str]:
        landing, home = ["--landing", str(self.folder / "landing")], ["--home", str(self.folder / "home")]
        return {
            "run": ["run", *landing, *home],
            "forget": ["forget", account, "--yes", *landing, *home],
            "rollback": ["rollback", "1", *home],
            "extract": ["extract", "2026-09", *home],
        }[name]

    def state(self) -> dict[str, Any]:
        """What must be the same after a kill and another try: the content, the records of the ledger, the bytes of the extracts."""
        home = self.folder / "home"
        extracts = {str(path.relative_to(home)): path.read_bytes() for path in (home / "finance").rglob("*.csv") if path.is_file()}
        return {"hash": pointer(home)["content_hash"], "records": answer(home, BUCKETS), "extracts": extracts}


def sums(place: Place) -> dict[str, Any]:
    """What forgetting a person leaves as it was."""
    counts = ", ".join(f"(select count(*) from marts.{table}) as {table}" for table in ("fct_ticket", "fct_order", "fct_interaction"))
    return answer(place.folder / "home", f"select {counts}, sum(net_amount) as net from marts.fct_order_line_net")


@pytest.fixture(scope="module")
def processes() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["dagster_project.definitions", "dagster_project.orchestration.automation", "dagster_project.commands.cli"]
    )
    return context


def start(processes: Any, arguments: list[str], seconds: float | None = None) -> tuple[int, float]:
    """Run a command, killed after `seconds` if it is not over by then; its exit code and how long it ran."""
    child, begin = processes.Process(target=_command, args=(arguments,)), time.monotonic()
    child.start()
    child.join(timeout=seconds if seconds is not None else 1_800)
    if child.exitcode is None:
        assert seconds is not None, "the command hangs"
        os.kill(child.pid, signal.SIGKILL)
        child.join()
    return int(child.exitcode), time.monotonic() - begin


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory, processes: Any) -> Place:
    place = Place(tmp_path_factory.mktemp("random_kills") / "before")
    write_company(place.folder / "landing", accounts=40, months=3, seed=11, daily=2, systems=SYSTEMS)
    landing, home = ["--landing", str(place.folder / "landing")], ["--home", str(place.folder / "home")]
    for until in ("2026-10-01", "2026-10-31"):
        assert start(processes, ["run", *landing, *home, "--until", until])[0] == 0
    return place


@pytest.fixture(scope="module")
def account(before: Place) -> str:
    busiest = "select account_id from marts.fct_ticket where account_id like 'A0%' group by 1 order by count(*) desc, 1 limit 1"
    return str(answer(before.folder / "home", busiest)["account_id"])


@pytest.mark.fault("C1")
@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.parametrize("name", ["run", "forget", "rollback", "extract"])
def test_a_command_that_is_killed_at_any_moment_loses_and_tears_nothing(before: Place, processes: Any, account: str, name: str) -> None:
    undisturbed = before.copied(f"{name}-undisturbed")
    code, seconds = start(processes, undisturbed.command(name, account))
    assert code == 0
    expected, draws = undisturbed.state(), random.Random(name)
    hashes = {before.state()["hash"], expected["hash"]}
    for number in range(KILLS):
        place, moment = before.copied(f"{name}-{number}"), draws.uniform(0, seconds)
        killed, _ = start(processes, place.command(name, account), moment)
        where = f"{name} killed after {moment:.2f} of {seconds:.2f} s, seed {name!r}, number {number}"
        assert killed in (0, -signal.SIGKILL), where
        assert pointer(place.folder / "home")["content_hash"] in hashes, where
        assert answer(place.folder / "home", "select count(*) as n from marts.fct_ticket")["n"] > 0, where
        again, _ = start(processes, place.command(name, account))
        assert again == 0, where
        assert place.state() == expected, where
        records = place.state()["records"]
        assert records["read"] == records["kept"], where
        if name == "forget":
            assert [path for path, text in texts(place.folder).items() if account in text] == [], where
            assert sums(place) == sums(before), where
        shutil.rmtree(place.folder)
