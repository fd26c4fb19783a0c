"""Cases of a day: nothing new, one tiny day cold and warm, the first start, and how a day grows with history.

Holds what is prepared, run and timed for each. The company of all but `growth` is the demo company.
"""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from benchmarks import product
from benchmarks.measure import Usage
from benchmarks.report import Section

END, DEMO_ACCOUNTS, DEMO_MONTHS = date(2026, 10, 31), 400, 14
LAST = END + timedelta(days=1)
HISTORIES = (3, 12, 24)
_REFERENCE = set(
    "accounts agents benchmarks business_hours contacts entitlements fiscal_periods fx_rates holidays initiatives product_changes "
    "referrals ring_cadence service_standards staff_surveys".split()
)
_LEFT_OUT = {"budgets"}
"""Without a ledger a month takes its budget as cost, so that a short history would spread cost over months it does not know."""
_WARM = """
import sys, time
from dagster_project.orchestration.run import run_daily
from dagster_project.settings import load_settings
for day in sys.argv[3:]:
    start = time.perf_counter()
    run_daily(load_settings(landing=sys.argv[1], home=sys.argv[2], until=day))
    print("day", day, time.perf_counter() - start)
"""


def _demo(work: Path) -> Path:
    landing = work / "demo" / "landing"
    product.written(landing, DEMO_ACCOUNTS, DEMO_MONTHS)
    return landing


def _days(last: date, count: int) -> list[date]:
    return [last - timedelta(days=back) for back in range(count - 1, -1, -1)]


def nothing(work: Path, repeats: int, section: Section) -> None:
    """Time a run that finds nothing new."""
    landing, home = _demo(work), work / "demo" / "home-day"
    product.build(landing, home)
    section.add("nothing new, fresh process", [product.build(landing, home) for _ in range(max(repeats, 5))])


def day(work: Path, repeats: int, section: Section) -> None:
    """Time one tiny day in a fresh process."""
    landing, home, days = _demo(work), product.fresh(work / "demo" / "home-day"), _days(LAST, repeats)
    product.build(landing, home, days[0] - timedelta(days=1))
    usages = [product.build(landing, home, one) for one in days]
    section.add("one tiny day, fresh process", usages, f"{DEMO_ACCOUNTS} accounts, about 100 rows")
    section.stages("Stages of one tiny day", product.stages(home, repeats))


def warm(work: Path, repeats: int, section: Section) -> None:
    """Time further days in one process."""
    landing, home, days = _demo(work), product.fresh(work / "demo" / "home-warm"), _days(LAST, repeats + 1)
    product.build(landing, home, days[0] - timedelta(days=1))
    usage = product.python("-c", _WARM, landing, home, *(one.isoformat() for one in days))
    seconds = [float(line.split()[2]) for line in usage.output.splitlines() if line.startswith("day ")][1:]
    section.add("each further day, same process", [Usage(value, 0.0, 0) for value in seconds], "first day of the process left out")
    section.stages("Stages of each further day", product.stages(home, repeats))


def first(work: Path, repeats: int, section: Section) -> None:
    """Go from a fresh checkout that is installed, and no data, to the first ROI: what `make run` does after `make install`."""
    companies, builds, both, recorded = [], [], [], []
    for _ in range(repeats):
        folder = product.fresh(work / "first")
        for name in ("dagster_project", "expectations", "dbt"):
            shutil.copytree(product.PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "target", "logs"))
        here = {"PYTHONPATH": str(folder)}
        landing, home = folder / "demo" / "landing", folder / "demo" / "home"
        command = ("-m", "dagster_project.commands.cli")
        companies.append(product.python(*command, "demo", "--landing", landing, folder=folder, environment=here))
        builds.append(product.python(*command, "run", "--landing", landing, "--home", home, folder=folder, environment=here))
        one, two = companies[-1], builds[-1]
        both.append(Usage(one.wall_seconds + two.wall_seconds, one.cpu_seconds + two.cpu_seconds, max(one.peak_bytes, two.peak_bytes)))
        recorded += product.stages(home)
    section.add("first start to first ROI", both, "demo company and first run; nothing parsed or compiled before")
    section.add("of it the demo company", companies)
    section.add("of it the first run", builds)
    section.stages("Stages of the first run", recorded)


def shortened(landing: Path, months: int, target: Path) -> None:
    """Link the deliveries of the last months; what names, promises or plans stays as it is, so that every day is the same."""
    cut = date(END.year + (END.month - months) // 12, (END.month - months) % 12 + 1, 1)
    for feed in sorted((landing / "canonical").iterdir()):
        for delivery in sorted(feed.iterdir()):
            if feed.name not in _LEFT_OUT and (feed.name in _REFERENCE or date.fromisoformat(delivery.name) > cut):
                shutil.copytree(delivery, target / "canonical" / feed.name / delivery.name, copy_function=os.link)


def growth(folder: Path, size: float, repeats: int, section: Section, months: int, histories: Sequence[int]) -> None:
    """Time the same days of the same company after short and long histories."""
    truth = product.company(folder, size, months)
    days = _days(END, repeats)
    usages: dict[int, list[Usage]] = defaultdict(list)
    homes = {length: product.fresh(folder / f"growth-{length}") for length in histories}
    for length, home in homes.items():
        shortened(folder / "landing", length, home / "landing")
        product.build(home / "landing", home / "home", days[0] - timedelta(days=1))
    for one in days:
        for length, home in homes.items():
            usages[length].append(product.build(home / "landing", home / "home", one))
    for length, home in homes.items():  # the last month has no ledger yet
        product.check(f"{length} months", product.published_cost(home / "home"), product.true_cost(truth, length, without_last=1))
    rows = sum(_records(file) for file in (homes[histories[0]] / "landing").glob(f"canonical/*/{END.isoformat()}/*.csv"))
    typical = {
        months: section.add(f"a day after {months} months, size {size:g}", found, f"{rows:,} rows a day")
        for months, found in usages.items()
    }
    for length in histories[1:]:
        section.ratio(f"{length} months to {histories[0]}", typical[length], typical[histories[0]])
    section.compare(
        f"Stages of a day by months of history, size {size:g}",
        {f"{length} months": product.stages(home / "home", repeats) for length, home in homes.items()},
    )


def _records(file: Path) -> int:
    with file.open("rb") as lines:
        return sum(1 for _ in lines) - 1


def generate(folder: Path, size: float, months: int, repeats: int, section: Section) -> None:
    """Write the company itself."""
    truth = product.company(folder, size, months)
    rows, usages = sum(truth["rows"].values()), []
    for _ in range(repeats):
        target = product.fresh(folder / "generated")
        usages.append(product.generate(target / "landing", round(product.ACCOUNTS_AT_SIZE_ONE * size), months))
    product.fresh(folder / "generated")
    speed = rows / sorted(usage.wall_seconds for usage in usages)[len(usages) // 2]
    section.add(f"write the company, size {size:g}", usages, f"{rows:,} rows, {speed:,.0f} rows/s")
