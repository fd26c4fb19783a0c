"""When a file is refused completely: the share and the number of refused records that a feed lets pass.

Holds the limits of contracts and assumptions and the message. The rule itself is `quarantine.is_refused`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from dagster_project.assumptions import Assumptions
from dagster_project.contracts.model import Contract, feeds, load_contract
from dagster_project.ingest.conform.quarantine import is_refused, report, threshold_text
from dagster_project.ledger.entries import StagedFile


class Refusal:
    """The limits of one run."""

    def __init__(self, assumptions: Assumptions) -> None:
        self.assumptions = assumptions

    def limits(self, contract: Contract) -> tuple[Decimal, int]:
        """Return the share and the number of a file's records above which it is refused completely."""
        if contract.bad_values == "freeze":
            return Decimal(0), 0
        own = contract.quarantine_threshold_rate
        return self.assumptions.quarantine_threshold_rate if own is None else own, self.assumptions.quarantine_threshold_records

    def limits_of(self, feed: str) -> tuple[Decimal, int]:
        """Return the same for a feed by name; streams without a feed follow the assumptions."""
        if feed in feeds():
            return self.limits(load_contract(feed))
        return self.assumptions.quarantine_threshold_rate, self.assumptions.quarantine_threshold_records

    def message(self, file: StagedFile, refused_by_feed: Mapping[str, int]) -> str:
        """Return why a file is refused completely: too many of its records are refused; nothing where it is taken."""
        bad = dict(refused_by_feed)
        if file.quarantine:
            first = file.quarantine[0].feed
            bad[first] = max(bad.get(first, 0), file.quarantined)
        above = [feed for feed, count in bad.items() if is_refused(count, file.physical, *self.limits_of(feed))]
        if not above:
            return ""
        limits = threshold_text(*self.limits_of(above[0]))
        return report(file.path, file.sha256, file.physical, file.quarantine, is_refused=True, threshold=limits)
