"""What checking a batch reports: one line per expectation, as plain data that travels as JSON.

Holds no Great Expectations and no I/O, so that every process may read results without the cost of the library.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["critical", "warning"]


@dataclass(frozen=True)
class ExpectationResult:
    """Outcome of one expectation.

    `rule` is unique in the suite, `expectation` its type in Great Expectations, `column` None where it concerns the whole
    batch. `unexpected_count` counts offending rows (or groups), 0 on success, None where nothing countable failed;
    `observed` says in words what was found instead; `failing_keys` are the first ten offenders, keys only.
    """

    rule: str
    expectation: str
    column: str | None
    severity: Severity
    success: bool
    notes: str
    unexpected_count: int | None = 0
    observed: str | None = None
    failing_keys: tuple[dict[str, str | None], ...] = ()

    @property
    def found(self) -> str | None:
        """What was found instead, or the keys of the first offenders."""
        keys = "; ".join(" ".join(f"{name}={value}" for name, value in row.items() if name != "batch_id") for row in self.failing_keys)
        return self.observed or keys or None

    def found_in(self, files: Mapping[str, str]) -> str | None:
        """Return the same with the file of each offender; `files` names the file of a batch, where it has one."""
        return self.observed or "; ".join(_worded(row, files) for row in self.failing_keys) or None

    def sentence(self) -> str:
        """Return one line for people: what failed, how often, what it breaks."""
        count = "" if self.unexpected_count is None else f" ({self.unexpected_count:,} offenders)"
        return f"{self.severity}: {self.rule}{count}: {self.notes}"


def _worded(row: Mapping[str, str | None], files: Mapping[str, str]) -> str:
    keys = [f"{name}={value}" for name, value in row.items() if name not in ("batch_id", "record_number")]
    file, record = files.get(row.get("batch_id") or ""), row.get("record_number")
    place = [*filter(None, [file, f"record {record}" if record is not None else None])]
    return " ".join([*place, *keys])


@dataclass(frozen=True)
class SuiteResult:
    """Outcome of one suite over one batch of `rows` rows, with the seconds it took."""

    feed: str
    rows: int
    seconds: float
    expectations: tuple[ExpectationResult, ...]

    @property
    def passed(self) -> bool:
        """True when no critical expectation failed; warnings are reported and load."""
        return not any(result.severity == "critical" for result in self.failed)

    @property
    def failed(self) -> tuple[ExpectationResult, ...]:
        """Every expectation that did not hold, critical ones first."""
        broken = (result for result in self.expectations if not result.success)
        return tuple(sorted(broken, key=lambda result: (result.severity, result.rule)))

    def to_json(self) -> dict[str, Any]:
        """Return the result as JSON-ready data; `from_json` is its inverse."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> SuiteResult:
        """Rebuild a result from what `to_json` returned, also after a trip through text."""
        lines = tuple(ExpectationResult(**{**line, "failing_keys": tuple(line["failing_keys"])}) for line in data["expectations"])
        return cls(feed=data["feed"], rows=data["rows"], seconds=data["seconds"], expectations=lines)
