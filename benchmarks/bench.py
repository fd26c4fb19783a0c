"""Benchmark table: a run with nothing new, one tiny day cold and warm, the full build against bare DuckDB, and on Spark.

`python -m benchmarks.bench --sizes 0.1 1 --repeats 3` measures whole processes, takes medians, compares within the same
run (product and bare script alternate), checks that both found the company's true cost, and writes benchmarks/results.md.
Size 1 is 1,000,000 tickets, 2,000,000 interactions, 1,000,000 orders, 3,000,000 lines and 300,000 answers over 24 months.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sqlite3
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import duckdb

from benchmarks.measure import Usage, middle, run
from dagster_project.demo.company import END, write_company

PROJECT = Path(__file__).resolve().parent.parent
RESULTS = PROJECT / "benchmarks" / "results.md"
ACCOUNTS_AT_SIZE_ONE, MONTHS, SEED = 100_000, 24, 7
CASES = ("nothing", "day", "warm", "full", "spark")
_WARM = """
import sys, time
from dagster_project.run import run_daily
from dagster_project.settings import load_settings
for day in sys.argv[3:]:
    start = time.perf_counter()
    run_daily(load_settings(landing=sys.argv[1], home=sys.argv[2], until=day))
    print("day", day, time.perf_counter() - start)
"""


@dataclass
class Table:
    """Rows of the result, printed as they come."""

    rows: list[str]

    def add(self, case: str, usages: list[Usage], note: str = "") -> Usage:
        """Add one case with its medians and the spread of the wall clock."""
        typical = middle(usages)
        walls = sorted(usage.wall_seconds for usage in usages)
        spread = f"{walls[0]:.2f}-{walls[-1]:.2f}"
        peak = f"{typical.peak_bytes / 2**20:,.0f}" if typical.peak_bytes else ""
        cpu = f"{typical.cpu_seconds:.2f}" if typical.cpu_seconds else ""
        self.rows.append(f"| {case} | {len(usages)} | {typical.wall_seconds:.2f} | {spread} | {cpu} | {peak} | {note} |")
        print(self.rows[-1], flush=True)
        return typical


def product(landing: Path, home: Path, until: date | None = None, engine: str = "duckdb") -> Usage:
    """One whole process of `service-roi run`."""
    command = [sys.executable, "-m", "dagster_project.cli", "run", "--landing", str(landing), "--home", str(home), "--engine", engine]
    return run([*command, "--until", until.isoformat()] if until else command, folder=PROJECT)


def stages(home: Path) -> dict[str, float]:
    """Seconds per stage that the product itself recorded for its last run."""
    with closing(sqlite3.connect(home / "ops" / "ledger.sqlite")) as ledger:
        row = ledger.execute("select detail from runs order by started_at desc, finished_at desc limit 1").fetchone()
    return {name: float(seconds) for name, seconds in json.loads(row[0])["seconds"].items()}


def stage_lines(title: str, recorded: list[dict[str, float]]) -> list[str]:
    """Medians per stage, in the order of the run."""
    names = list(dict.fromkeys(name for one in recorded for name in one))
    lines = [f"### {title}", "", "| stage | seconds |", "| --- | ---: |"]
    return [*lines, *(f"| {name} | {median(one.get(name, 0.0) for one in recorded):.2f} |" for name in names), ""]


def true_cost(truth: dict[str, Any]) -> int:
    """Cents of in-scope service cost over all months."""
    return sum(sum(month.values()) for month in truth["cost_cents"].values())


def published_cost(home: Path) -> int:
    """Cents of service cost in the published copy, summed over months."""
    pointer = json.loads((home / "published" / "current.json").read_text(encoding="utf-8"))
    with closing(duckdb.connect(str(home / "published" / pointer["file"]), read_only=True)) as copy:
        sql = "select (sum(service_cost_amount) * 100)::bigint from analytics.mart_service_roi_month where window_kind = 'month'"
        row = copy.execute(sql).fetchone()
    return int(row[0]) if row else 0


def check(what: str, found: int, truth: dict[str, Any]) -> None:
    """Refuse to publish a time for a wrong result."""
    if found != true_cost(truth):
        raise SystemExit(f"{what} found {found} cents of service cost, the company's truth is {true_cost(truth)}")


def fresh(home: Path) -> Path:
    """Empty a home folder."""
    shutil.rmtree(home, ignore_errors=True)
    return home


def small_cases(work: Path, repeats: int, cases: set[str], table: Table) -> list[str]:
    """Nothing new, one tiny day in a fresh process, further days in one process; on the demo company."""
    landing, last = work / "demo" / "landing", END + timedelta(days=1)
    write_company(landing)
    lines: list[str] = []
    days = [last - timedelta(days=back) for back in range(repeats - 1, -1, -1)]
    if cases & {"nothing", "day"}:
        home = fresh(work / "demo" / "home")
        product(landing, home, days[0] - timedelta(days=1))
        usages, recorded = [], []
        for day in days:
            usages.append(product(landing, home, day))
            recorded.append(stages(home))
        table.add("one tiny day, fresh process", usages, "400 accounts, about 100 rows")
        lines = stage_lines("Stages of one tiny day", recorded)
        if "nothing" in cases:
            table.add("nothing new, fresh process", [product(landing, home) for _ in range(max(repeats, 5))])
    if "warm" in cases:
        home = fresh(work / "demo" / "home-warm")
        product(landing, home, days[0] - timedelta(days=2))
        arguments = [day.isoformat() for day in (days[0] - timedelta(days=1), *days)]
        usage = run([sys.executable, "-c", _WARM, str(landing), str(home), *arguments], folder=PROJECT)
        seconds = [float(line.split()[2]) for line in usage.output.splitlines() if line.startswith("day ")][1:]
        table.add("each further day, same process", [Usage(value, 0.0, 0) for value in seconds], "first day of the process left out")
    return lines


def company(folder: Path, size: float) -> dict[str, Any]:
    """Write the company of a size, unless it is there; return its truth."""
    return write_company(folder / "landing", round(ACCOUNTS_AT_SIZE_ONE * size), MONTHS, SEED)


def on_spark(work: Path, size: float, table: Table) -> list[str]:
    """Build the same history on each engine, once, one after the other."""
    folder = work / f"{size:g}"
    truth, usages, recorded = company(folder, size), {}, {}
    for engine in ("duckdb", "spark"):
        home = fresh(folder / f"home-{engine}")
        usages[engine] = product(folder / "landing", home, engine=engine)
        check(engine, published_cost(home), truth)
        recorded[engine] = stages(home)
    start = recorded["spark"]["spark"]
    table.add(f"full build on DuckDB, size {size:g}", [usages["duckdb"]], "beside Spark")
    table.add(f"full build on Spark in process, size {size:g}", [usages["spark"]], f"of it {start:.1f} s to start the session")
    ratio = usages["spark"].wall_seconds / usages["duckdb"].wall_seconds
    cpu = usages["spark"].cpu_seconds / usages["duckdb"].cpu_seconds
    table.rows.append(f"| ratio Spark to DuckDB, size {size:g} | | {ratio:.2f} | | {cpu:.2f} | | |")
    print(table.rows[-1], flush=True)
    return stage_lines(f"Stages on Spark, size {size:g}", [recorded["spark"]])


def full_build(work: Path, size: float, repeats: int, table: Table) -> list[str]:
    """Build the whole history at once: product and bare script alternate on the same files."""
    folder = work / f"{size:g}"
    truth = company(folder, size)
    ours, floor, recorded, parts = [], [], [], []
    for _ in range(repeats):
        bare = run([sys.executable, "-m", "benchmarks.bare_duckdb", str(folder / "landing"), str(folder / "bare.duckdb")], folder=PROJECT)
        found = json.loads(bare.output.splitlines()[-1])
        check("the bare script", found["sums"]["roi_cost"], truth)
        floor.append(bare)
        parts.append(found["seconds"])
        home = fresh(folder / "home")
        ours.append(product(folder / "landing", home))
        check("the product", published_cost(home), truth)
        recorded.append(stages(home))
    rows = f"{truth['rows']['tickets']:,} ticket rows, {truth['rows']['order_lines']:,} order lines"
    low = table.add(f"bare DuckDB script, size {size:g}", floor, rows)
    high = table.add(f"full build, size {size:g}", ours, rows)
    ratio = f"wall {high.wall_seconds / low.wall_seconds:.2f}, cpu {high.cpu_seconds / low.cpu_seconds:.2f}"
    table.rows.append(
        f"| ratio, size {size:g} | | {high.wall_seconds / low.wall_seconds:.2f} | | {high.cpu_seconds / low.cpu_seconds:.2f} | | |"
    )
    print(f"size {size:g}: ratio {ratio}", flush=True)
    return [
        *stage_lines(f"Stages of the full build, size {size:g}", recorded),
        *stage_lines(f"Stages of the bare script, size {size:g}", parts),
    ]


def main() -> None:
    """Measure the chosen cases and write the results."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=float, nargs="+", default=[0.1], help="sizes of the full build (1 = a million tickets)")
    parser.add_argument("--repeats", type=int, default=3, help="runs per case, 1 to 8; a full build of size 1 or more runs once")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument(
        "--work", type=Path, default=Path(tempfile.gettempdir()) / "service-roi-bench", help="folder of companies and homes, kept"
    )
    options = parser.parse_args()
    if not 1 <= options.repeats <= 8:
        parser.error("--repeats must be 1 to 8: the demo company has ten daily deliveries")
    options.work.mkdir(parents=True, exist_ok=True)
    load = os.getloadavg()[0]
    table = Table([])
    details = small_cases(options.work, options.repeats, set(options.cases), table)
    if "full" in options.cases:
        for size in options.sizes:
            details += full_build(options.work, size, options.repeats if size < 1 else 1, table)
    if "spark" in options.cases:
        for size in options.sizes:
            details += on_spark(options.work, size, table)
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, DuckDB {duckdb.__version__}, load before the run {load:.1f}"
    title = f"## `python -m benchmarks.bench --cases {' '.join(options.cases)} --sizes {' '.join(f'{size:g}' for size in options.sizes)}`"
    head = [
        title,
        "",
        machine,
        "",
        "| case | runs | wall s | min-max | CPU s | peak MiB | note |",
        "| --- | ---: | ---: | --- | ---: | ---: | --- |",
    ]
    write_section(title, "\n".join([*head, *table.rows, "", *details]).rstrip() + "\n")
    print(f"written to {RESULTS}")


def write_section(title: str, text: str) -> None:
    """Replace what the same command wrote before, and keep what other commands wrote."""
    _, *sections = RESULTS.read_text(encoding="utf-8").split("\n## ") if RESULTS.exists() else [""]
    kept = [f"## {section.rstrip()}\n" for section in sections if not f"## {section}".startswith(f"{title}\n")]
    head = (
        "# Benchmark results\n\nWritten by the command above each table. Whole processes, medians; CPU and memory include every process"
        " started.\nMemory is the peak of the sum.\n"
    )
    RESULTS.write_text("\n".join([head, *sorted([*kept, text])]), encoding="utf-8")


if __name__ == "__main__":
    main()
