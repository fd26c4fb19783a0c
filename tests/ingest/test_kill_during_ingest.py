"""An ingest that is killed, whose checks fail, or whose files are gone. Breaks: half a delivery is visible."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dagster_project.errors import InfrastructureError
from tests.ingest.loading_files import HEADER, counts, latest, order, orders


def test_a_feed_whose_checks_fail_keeps_the_older_rows_visible(ingest: Any) -> None:
    ingest.deliver("canonical/orders/2026-01-02/a.csv", orders([1]))
    ingest.walk()
    ingest.deliver("canonical/orders/2026-01-02/a.csv", orders([2]))
    ingest.deliver("canonical/orders/2026-01-03/b.csv", orders([2]))
    ingest.deliver("canonical/payments/2026-01-03/p.csv", "payment_id,order_id,payment_amount,currency_code\np1,o1,1.00,EUR\n")
    ingest.read()
    ingest.ledger.accept("run-2", {"orders": "1 blocking check failed"})
    assert ingest.all("select order_id from lake.orders") == [("o1",)]
    assert ingest.all("select count(*) from lake.payments") == [(1,)]
    assert [row[0] for row in ingest.ledger.rows("select status from deliveries order by path, file_id")] == [
        "accepted",
        "refused",
        "refused",
        "accepted",
    ]


@pytest.mark.fault("F13")
def test_several_currencies_without_a_choice_are_an_error(ingest: Any) -> None:
    ingest.deliver("canonical/orders/2026-01-02/a.csv", orders([1]) + order(2).replace("EUR", "USD"))
    ingest.walk()
    with pytest.raises(Exception, match=r"reporting_currency_code: the feeds name several \(EUR, USD\)"):
        ingest.lake()
    ingest.assumptions = ingest.assumptions.model_copy(update={"reporting_currency_code": "EUR"})
    assert ingest.all("select reporting_currency_code from lake.run_parameters") == [("EUR",)]


@pytest.mark.fault("C7")
def test_a_lake_file_that_is_gone_is_told_and_not_passed_over(ingest: Any) -> None:
    ingest.deliver("canonical/orders/2026-01-02/a.csv", orders([1]))
    ingest.walk()
    next((ingest.settings.lake / "orders").iterdir()).unlink()
    with pytest.raises(InfrastructureError, match=r"lake\.orders"):
        ingest.lake()


WALK = """
import sys
from pathlib import Path
from dagster_project.assumptions import load_assumptions
from dagster_project.ingest.landing.inventory import new_files
from dagster_project.ledger.store import Ledger
from dagster_project.ingest.loading import load
from dagster_project.ingest.mapping.systems import Mappings
from dagster_project.settings import load_settings
settings = load_settings(landing=Path(sys.argv[1]), home=Path(sys.argv[2]))
ledger = Ledger(settings.ops)
load(settings, load_assumptions(), ledger, new_files(settings.landing, ledger, Mappings()), sys.argv[3])
ledger.accept(sys.argv[3])
"""


@pytest.mark.fault("C1")
@pytest.mark.parametrize("point", ["prescan", "loaded", "accepted"])
def test_a_kill_at_any_point_of_ingest_leaves_the_old_rows_or_the_new_ones(make_ingest: Callable[..., Any], point: str) -> None:
    ingest = make_ingest()
    ingest.deliver("canonical/orders/2026-01-02/a.csv", orders(range(3)))
    ingest.walk()
    ingest.deliver("canonical/orders/2026-01-02/a.csv", orders(range(5)))
    ingest.deliver("canonical/orders/2026-01-03/b.csv.gz", orders(range(10, 12)))
    arguments = [sys.executable, "-c", WALK, str(ingest.settings.landing), str(ingest.settings.home)]
    killed = subprocess.run([*arguments, "killed"], env={**os.environ, "ROI_FAULT_POINT": point}, check=False)
    assert killed.returncode == -signal.SIGKILL
    seen = [row[0] for row in latest(ingest)]
    assert seen == (["o0", "o1", "o2"] if point != "accepted" else ["o0", "o1", "o10", "o11", "o2", "o3", "o4"])
    assert subprocess.run([*arguments, "again"], check=False).returncode == 0
    undisturbed = make_ingest("undisturbed")
    undisturbed.walk()
    assert latest(ingest) == latest(undisturbed)
    ingest.read()
    named = {Path(path).name for (path,) in ingest.ledger.rows("select path from batches where status = 'accepted'")}
    assert {path.name for path in (ingest.settings.lake / "orders").iterdir()} == named, "what the crash left is swept"


def test_each_record_ends_in_exactly_one_bucket(make_ingest: Callable[..., Any]) -> None:
    kinds = {"good": "10.00", "bad": "x", "fine": "1.50"}
    for number, mix in enumerate(itertools.product(kinds, repeat=2)):
        ingest = make_ingest(f"home{number}")
        ingest.assumptions = ingest.assumptions.model_copy(update={"quarantine_threshold_rate": Decimal(1)})
        shutil.rmtree(ingest.settings.landing)
        ingest.deliver(
            "canonical/orders/2026-01-02/a.csv", HEADER + "".join(order(at, net=kinds[kind]) for at, kind in enumerate(mix)) + order(0)
        )
        ((physical, loaded, superseded, quarantined),) = counts(ingest.walk())
        assert physical == 3 == loaded + superseded + quarantined
        assert quarantined == mix.count("bad")
        assert superseded == (mix[0] != "bad")
        assert ingest.all("select count(*) from lake.orders") == [(loaded,)]
