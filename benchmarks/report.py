"""What a case writes: one section of results.md under the command that makes it again."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

from benchmarks.measure import Usage, middle

RESULTS = Path(__file__).resolve().parent / "results.md"
_HEAD = (
    "# Benchmark results\n\nEach section was written by the command that is its heading, and is replaced when that runs again.\n"
    "Whole processes, medians; CPU and memory include every process started; memory is the peak of the sum.\n"
    "Ratios compare what ran side by side, alternating; the machine is shared, so times of two sections do not compare.\n"
)
_VERSIONED = ("duckdb", "dbt-core", "dagster", "pandas", "pyarrow", "dlt", "pyspark")


def machine() -> str:
    """Name what the figures depend on, settings of the environment included."""
    found = [f"{name}={value}" for name, value in sorted(os.environ.items()) if name.startswith("ROI_")]
    for name in _VERSIONED:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, {', '.join(found)}; load before the run {os.getloadavg()[0]:.1f}"


@dataclass
class Section:
    """One table and the stages behind it; rows are printed as they come."""

    arguments: str
    machine: str = field(default_factory=machine)
    rows: list[str] = field(default_factory=list)
    details: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        """Name the command that makes the section again."""
        return f"## `python -m benchmarks.bench {self.arguments}`"

    def add(self, case: str, usages: Sequence[Usage], note: str = "") -> Usage:
        """Add one case with its medians and the spread of the wall clock; return the medians."""
        typical = middle(usages)
        walls = sorted(usage.wall_seconds for usage in usages)
        peak = f"{typical.peak_bytes / 2**20:,.0f}" if typical.peak_bytes else ""
        cpu = f"{typical.cpu_seconds:.2f}" if typical.cpu_seconds else ""
        self._row(f"| {case} | {len(usages)} | {typical.wall_seconds:.2f} | {walls[0]:.2f}-{walls[-1]:.2f} | {cpu} | {peak} | {note} |")
        return typical

    def ratio(self, case: str, above: Usage, below: Usage, note: str = "") -> None:
        """Add how many times more one case takes than another."""
        pairs = ((above.wall_seconds, below.wall_seconds), (above.cpu_seconds, below.cpu_seconds), (above.peak_bytes, below.peak_bytes))
        wall, cpu, peak = (f"{over / under:.2f}" if over and under else "" for over, under in pairs)
        self._row(f"| **ratio: {case}** | | {wall} | | {cpu} | {peak} | {note} |")

    def _row(self, row: str) -> None:
        self.rows.append(row)
        print(row, flush=True)

    def stages(self, title: str, recorded: Iterable[Mapping[str, float]], most: int | None = None) -> None:
        """Add medians per stage, in the order of the run; with `most` only the largest ones."""
        self.compare(title, {"seconds": list(recorded)}, most)

    def compare(self, title: str, columns: Mapping[str, Sequence[Mapping[str, float]]], most: int | None = None) -> None:
        """Add medians per stage in one column for each group of runs."""
        names = list(dict.fromkeys(name for runs in columns.values() for one in runs for name in one))
        values = {name: [median(one.get(name, 0.0) for one in runs) for runs in columns.values()] for name in names}
        if most is not None:
            values = dict(sorted(values.items(), key=lambda item: -max(item[1]))[:most])
        lines = [f"### {title}", "", f"| stage | {' | '.join(columns)} |", f"| --- |{' ---: |' * len(columns)}"]
        lines += [f"| {name} | {' | '.join(f'{value:.2f}' for value in numbers)} |" for name, numbers in values.items()]
        self.details += [*lines, ""]
        print("\n".join(["", *lines, ""]), flush=True)

    def text(self) -> str:
        """Return the whole section."""
        table = [
            "| case | runs | wall s | min-max | CPU s | peak MiB | note |",
            "| --- | ---: | ---: | --- | ---: | ---: | --- |",
            *self.rows,
        ]
        return "\n".join([self.title, "", self.machine, "", *table, "", *self.details]).rstrip() + "\n"


def write(section: Section, results: Path = RESULTS) -> None:
    """Replace what the same command wrote before, and keep what other commands wrote."""
    _, *sections = results.read_text(encoding="utf-8").split("\n## ") if results.exists() else [""]
    kept = [f"## {old.rstrip()}\n" for old in sections if not f"## {old}".startswith(f"{section.title}\n")]
    results.write_text("\n".join([_HEAD, *sorted([*kept, section.text()], key=lambda text: text.split("`")[1])]), encoding="utf-8")
