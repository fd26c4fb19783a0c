"""What the checks of a run warned of, in words for people: the same for the run's output, the alert and `ops.warnings`.

Holds the question to the ledger and the wording. It must not decide what is a warning: checks and tests say so by their severity.
"""

from __future__ import annotations

from dataclasses import dataclass

from dagster_project.ledger.store import Ledger

SHOWN_KEYS = 3
"""Keys that a sentence shows; `ops.warnings` has the first ten."""
SEPARATOR = "; "
WARNINGS = """
select run_id, feed, expectation, max(column_name), max(unexpected_count), max(observed), max(notes)
from check_results where severity in ('warning', ?) and not is_success and run_id = coalesce(?, run_id)
group by run_id, feed, expectation, case when severity = 'refused' then observed end order by min(rowid)
"""
"""One row for each run, feed and check; parameters are a further severity, and a run or null for all of them.

Of severity `refused` is a file or folder that a run did not take: the run ends with its message, and readers find it among the warnings.
"""
REFUSED = "refused"


@dataclass(frozen=True)
class Warned:
    """One check that found something odd: `rows` None where nothing is countable, `first` the first keys or what was found instead."""

    feed: str
    check: str
    rows: int | None
    first: str
    meaning: str

    def __str__(self) -> str:
        """Word it in one line."""
        keys = self.first.split(SEPARATOR)
        shown = SEPARATOR.join(keys[:SHOWN_KEYS]) + (f"{SEPARATOR}…" if len(keys) > SHOWN_KEYS else "")
        found = f"found {shown}" if self.rows is None else f"{self.rows:,} found, first: {shown}"
        return f"warning: {self.feed}, {self.check}: {found}" + (f" ({self.meaning.rstrip('.')})" if self.meaning else "")


def warnings_of(ledger: Ledger, run_id: str) -> list[Warned]:
    """Return what the checks of a run warned of, in the order in which they ran."""
    found = ledger.rows(WARNINGS, ("", run_id))
    return [Warned(feed, check, rows, first or "", meaning or "") for _, feed, check, _, rows, first, meaning in found]


def new_warnings(ledger: Ledger, run_id: str) -> list[Warned]:
    """Return those that the run before did not have."""
    runs = [run for (run,) in ledger.rows("select run_id from runs order by rowid")]
    before = runs[: runs.index(run_id)][-1:] if run_id in runs else []
    known = {str(warned) for run in before for warned in warnings_of(ledger, run)}
    return [warned for warned in warnings_of(ledger, run_id) if str(warned) not in known]
