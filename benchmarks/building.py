"""Cases that build a complete history, side by side on the same files: the product and its rivals, one after the other, repeated.

Holds what each of them runs and how its result is checked. A rival that needs a built home uses the product's.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks import product
from benchmarks.measure import Usage, middle, run
from benchmarks.report import Section
from dagster_project.engines.duckdb import writer
from dagster_project.engines.duckdb_engine import DuckDBEngine
from dagster_project.transform.increment import forget

_CHECKED = ("allocated_to_tickets", "allocated_to_interactions", "allocated_to_accounts", "roi_cost")
_MOST_MODELS = 12


@dataclass
class Builds:
    """One company, its truth, and what every build of it took."""

    folder: Path
    truth: dict[str, Any]
    usages: dict[str, list[Usage]] = field(default_factory=lambda: defaultdict(list))
    seconds: dict[str, list[dict[str, float]]] = field(default_factory=lambda: defaultdict(list))

    @property
    def landing(self) -> Path:
        """The files that all of them read."""
        return self.folder / "landing"

    @property
    def home(self) -> Path:
        """The home that the product builds."""
        return self.folder / "home"

    def keep(self, case: str, usage: Usage, seconds: dict[str, float]) -> None:
        """Remember one run, and say so: a long bench that is ended early has told what it found."""
        print(f"{case}: {usage.wall_seconds:.1f} s, CPU {usage.cpu_seconds:.1f} s, {usage.peak_bytes / 2**20:,.0f} MiB", flush=True)
        self.usages[case].append(usage)
        self.seconds[case].append(seconds)


def full(builds: Builds) -> None:
    """Run `service-roi run` into an empty home."""
    usage = product.build(builds.landing, product.fresh(builds.home))
    product.check("the product", product.published_cost(builds.home), product.true_cost(builds.truth))
    builds.keep("full", usage, product.stages(builds.home)[0])


def _script(builds: Builds, case: str, output: str) -> None:
    usage = product.python("-m", f"benchmarks.bare_{case}", builds.landing, builds.folder / output)
    found = json.loads(usage.output.splitlines()[-1])
    for name in _CHECKED:
        product.check(f"the {case} script, {name},", found["sums"][name], product.true_cost(builds.truth))
    product.check(f"the {case} script, net revenue,", found["sums"]["net_revenue"], product.true_net_revenue(builds.truth))
    builds.keep(case, usage, found["seconds"])


def bare_duckdb(builds: Builds) -> None:
    """Run the bare SQL script."""
    _script(builds, "duckdb", "bare.duckdb")


def bare_pandas(builds: Builds) -> None:
    """Run the pandas script."""
    _script(builds, "pandas", "pandas")


def _built_home(builds: Builds) -> Path:
    if not (builds.home / "published" / "current.json").exists():
        product.build(builds.landing, product.fresh(builds.home))
    return builds.home


def _dbt(builds: Builds, warehouse: Path, *selection: str) -> tuple[Usage, dict[str, float]]:
    """`dbt build` as by hand, without unit tests, which the product's own build leaves out too; the project has been parsed before."""
    target = builds.folder / "dbt-target"
    with writer(warehouse) as connection:
        forget(DuckDBEngine(connection))
    command = [str(Path(sys.executable).with_name("dbt")), "--quiet", "build", "--full-refresh", "--exclude-resource-type", "unit_test"]
    command += selection
    places = ["--project-dir", "dbt", "--profiles-dir", "dbt", "--target-path", str(target), "--log-path", str(target)]
    environment = {"DBT_WAREHOUSE_PATH": str(warehouse), "DO_NOT_TRACK": "1"}
    if not (target / "partial_parse.msgpack").exists():
        run([command[0], "--quiet", "parse", *places], folder=product.PROJECT, environment=environment)
    usage = run([*command, *places], folder=product.PROJECT, environment=environment)
    results = json.loads((target / "run_results.json").read_text(encoding="utf-8"))["results"]
    return usage, {result["unique_id"].split(".")[2]: float(result["execution_time"]) for result in results}


def dbt_alone(builds: Builds) -> None:
    """Build the product's dbt project through its command line, on the product's home."""
    warehouse = _built_home(builds) / "warehouse.duckdb"
    usage, models = _dbt(builds, warehouse)
    product.check("dbt alone", product.warehouse_cost(warehouse), product.true_cost(builds.truth))
    builds.keep("dbt", usage, models)


def dlt_and_dbt(builds: Builds) -> None:
    """Load with dlt into a DuckDB file, then the same models of marts on it."""
    folder = product.fresh(builds.folder / "dlt")
    folder.mkdir()
    database = folder / "warehouse.duckdb"
    load = product.python("-m", "benchmarks.dlt_load", builds.landing, database, folder / "pipelines")
    builds.keep("dlt", load, json.loads(load.output.splitlines()[-1])["seconds"])
    models, seconds = _dbt(builds, database, "--exclude", "service_roi.reporting")
    product.check("dlt and dbt", product.warehouse_cost(database), product.true_cost(builds.truth))
    both = Usage(load.wall_seconds + models.wall_seconds, load.cpu_seconds + models.cpu_seconds, max(load.peak_bytes, models.peak_bytes))
    builds.keep("dlt + dbt", both, seconds)


def publish_alone(builds: Builds) -> None:
    """Run the product's publish step by itself, on the product's home."""
    usage = product.python("-m", "benchmarks.publish_alone", _built_home(builds), product.fresh(builds.folder / "publish"))
    builds.keep("publish", usage, {})
    product.fresh(builds.folder / "publish")


BUILDS: dict[str, Callable[[Builds], None]] = {
    "duckdb": bare_duckdb,
    "pandas": bare_pandas,
    "dlt": dlt_and_dbt,
    "full": full,
    "dbt": dbt_alone,
    "publish": publish_alone,
}
_NAMES = {
    "duckdb": "bare DuckDB script", "pandas": "pandas script", "dlt": "dlt, load alone", "dlt + dbt": "dlt, then dbt build of the marts",
    "full": "full build", "dbt": "dbt build alone, lake registered", "publish": "publish alone",
}  # fmt: skip
_SCOPE = {
    "pandas": "fewer tables, see benchmarks/bare_pandas.py", "dlt": "no checks, no ledger, no quarantine",
    "dlt + dbt": "no analytics, no reporting, no copy", "dbt": "without unit tests",
}  # fmt: skip
_STAGES = {
    "full": "Stages of the full build", "duckdb": "Stages of the bare DuckDB script", "pandas": "Stages of the pandas script",
    "dlt": "Stages of the load with dlt", "dbt": "Most expensive models and tests, dbt alone (two at a time)",
    "dlt + dbt": "Most expensive models and tests on what dlt loaded (two at a time)",
}  # fmt: skip


def side_by_side(folder: Path, size: float, months: int, repeats: int, cases: list[str], section: Section) -> None:
    """Run the chosen builds in turn, repeated, and report medians, ratios to the full build, and stages."""
    builds = Builds(folder, product.company(folder, size, months))
    chosen = [case for case in BUILDS if case in cases]
    if "dlt" in chosen and find_spec("dlt") is None:
        raise SystemExit("case dlt needs the dependency group bench; remedy: make bench, or leave it out of --cases")
    for _ in range(repeats):
        for case in chosen:
            BUILDS[case](builds)
    rows = f"{builds.truth['rows']['tickets']:,} ticket rows, {builds.truth['rows']['order_lines']:,} order lines"
    for case, usages in builds.usages.items():
        section.add(f"{_NAMES[case]}, size {size:g}", usages, rows if case == "full" else _SCOPE.get(case, ""))
    if "full" in builds.usages:
        whole = middle(builds.usages["full"])
        for case in [case for case in builds.usages if case != "full"]:
            section.ratio(f"full build to {_NAMES[case]}", whole, middle(builds.usages[case]))
    for case, title in _STAGES.items():
        if case in builds.seconds:
            section.stages(f"{title}, size {size:g}", builds.seconds[case], _MOST_MODELS if case in {"dbt", "dlt + dbt"} else None)


def on_spark(folder: Path, size: float, months: int, section: Section) -> None:
    """Build the same history on each engine, once, one after the other."""
    truth, usages, recorded = product.company(folder, size, months), {}, {}
    for engine in ("duckdb", "spark"):
        home = product.fresh(folder / f"home-{engine}")
        usages[engine] = product.build(folder / "landing", home, engine=engine)
        product.check(engine, product.published_cost(home), product.true_cost(truth))
        recorded[engine] = product.stages(home)
    start = recorded["spark"][0]["spark"]
    section.add(f"full build on DuckDB, size {size:g}", [usages["duckdb"]], "beside Spark")
    section.add(f"full build on Spark in process, size {size:g}", [usages["spark"]], f"of it {start:.1f} s to start the session")
    section.ratio("Spark to DuckDB", usages["spark"], usages["duckdb"])
    section.compare(f"Stages on each engine, size {size:g}", recorded)
