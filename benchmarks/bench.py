"""Benchmark table: whole processes, medians, ratios of what ran side by side, and where the time goes by stage.

Cases of the demo company: first (fresh checkout to first ROI), day (one tiny day, fresh process), nothing (nothing new), warm (further days
in one process). Cases of a size, where size 1 is 1,000,000 tickets, 2,000,000 interactions, 1,000,000 orders, 3,000,000 lines and 300,000
answers over 24 months: full (the product), duckdb (bare SQL script), pandas (pandas script), dbt (dbt build alone), dlt (dlt, then dbt) and
publish alternate on the same files; growth (the same day after 3, 12 and 24 months); generate (the company itself); spark (both engines);
ingest (one file of a million interactions beside a bare typed COPY); tables (first load of source tables beside a bare COPY, days of them).

Results are checked against the company's true cost to the cent. Each case, or size of a case, replaces its own section of
benchmarks/results.md and no other.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import building, daily, ingest, report, tables
from benchmarks.report import Section

DEMO = {"first": daily.first, "day": daily.day, "nothing": daily.nothing, "warm": daily.warm}
SIZED = ("growth", "generate", "spark", "ingest", "tables")
CASES = (*DEMO, *building.BUILDS, *SIZED)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--cases", nargs="+", choices=CASES, default=[case for case in CASES if case != "spark"], help="default: all but spark"
    )
    parser.add_argument("--sizes", type=float, nargs="+", default=[0.1], help="sizes of the sized cases (1 = a million tickets)")
    parser.add_argument(
        "--repeats", type=int, default=3, help="runs per case, 1 to 8; sizes of 1 or more run once, but growth, ingest and tables"
    )
    parser.add_argument("--months", type=int, default=24, help="months of the sized companies")
    folder = Path(tempfile.gettempdir()) / "service-roi-bench"
    parser.add_argument("--histories", type=int, nargs="+", default=daily.HISTORIES, help="months of history in case growth")
    parser.add_argument("--work", type=Path, default=folder, help="folder of companies and homes, kept; one for each --months")
    parser.add_argument("--results", type=Path, default=report.RESULTS, help="file whose sections are replaced")
    options = parser.parse_args(arguments)
    if not 1 <= options.repeats <= 8:
        parser.error("--repeats must be 1 to 8: the companies have ten daily deliveries")
    if "growth" in options.cases and not 2 <= min(options.histories) <= max(options.histories) <= options.months:
        parser.error("--histories must be 2 or more, so that a month's ledger is in each, and not longer than --months")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the chosen cases and write each into its section as soon as it is done."""
    options = _options(arguments)
    options.work.mkdir(parents=True, exist_ok=True)
    for case in [case for case in DEMO if case in options.cases]:
        section = Section(f"--cases {case}")
        DEMO[case](options.work, options.repeats, section)
        report.write(section, options.results)
    for size in options.sizes:
        folder, repeats = options.work / f"{size:g}", options.repeats if size < 1 else 1
        builds = [case for case in building.BUILDS if case in options.cases]
        groups = ([builds] if builds else []) + [[case] for case in SIZED if case in options.cases]
        for group in groups:
            months = "" if options.months == 24 else f" --months {options.months}"
            section = Section(f"--cases {' '.join(group)} --sizes {size:g}{months}")
            if group == ["growth"]:
                daily.growth(folder, size, options.repeats, section, options.months, options.histories)
            elif group == ["generate"]:
                daily.generate(folder, size, options.months, repeats, section)
            elif group == ["ingest"]:
                ingest.measure(options.work / f"ingest-{size:g}", size, options.repeats, section)
            elif group == ["tables"]:
                tables.measure(options.work / f"tables-{size:g}", size, options.repeats, section)
            elif group == ["spark"]:
                building.on_spark(folder, size, options.months, section)
            else:
                building.side_by_side(folder, size, options.months, repeats, group, section)
            report.write(section, options.results)
    print(f"written to {options.results}")


if __name__ == "__main__":
    main()
