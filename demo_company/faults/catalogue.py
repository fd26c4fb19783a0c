"""The word list of faults, their order, and doing them to a written company."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from dagster_project.errors import UsageError
from demo_company.draws import Draws
from demo_company.faults import deliveries, events, form, values
from demo_company.faults.entries import Entry
from demo_company.faults.landing import Landing

ALL = "all"
_KINDS: tuple[tuple[Callable[[Landing, Draws], list[Entry]], tuple[str, ...]], ...] = (
    (events.dst_nights, ("interactions",)),
    (deliveries.late_rows, ("interactions",)),
    (deliveries.repeated_keys, ("payments",)),
    (deliveries.duplicate_file, ("payments",)),
    (deliveries.repeated_rows, ("orders",)),
    (deliveries.header_only, ("refunds",)),
    (deliveries.empty_day, ()),
    (deliveries.volume_anomaly, ("order_lines",)),
    (deliveries.stale_source, ("self_service_sessions",)),
    (deliveries.manifest_mismatch, ("payments",)),
    (deliveries.right_manifests, ("ledger_actuals", "refunds", "payments")),
    (form.truncated_gzip, ("orders",)),
    (form.bad_crc, ("interactions",)),
    (form.zero_bytes, ("tickets",)),
    (form.byte_order_mark, ("order_lines",)),
    (form.utf16, ("interactions",)),
    (form.latin1, ("survey_responses",)),
    (form.nul_byte, ("tickets",)),
    (form.unclosed_quote, ("survey_responses",)),
    (form.mixed_line_ends, ("survey_responses",)),
    (form.ragged_rows, ("interactions",)),
    (form.reordered_columns, ("order_lines",)),
    (form.renamed_column, ("orders",)),
    (form.new_column, ("tickets",)),
    (values.decimal_comma, ("order_lines",)),
    (values.thousands_separators, ("payments",)),
    (values.excel_ids, ("payments",)),
    (values.not_a_number, ("order_lines",)),
    (values.too_many_decimals, ("payments",)),
    (values.enum_growth, ("tickets",)),
    (values.unknown_code, ("orders",)),
    (values.negative_amounts, ("refunds", "order_lines", "interactions")),
    (values.negative_sale, ("orders",)),
    (values.missing_currency, ("orders",)),
    (values.malformed_currency, ("orders",)),
    (values.mixed_currency, ("payments",)),
    (values.currency_without_rate, ("orders", "order_lines")),
    (values.clock_skew, ("interactions",)),
    (values.future_timestamps, ("orders",)),
    (values.hostile_names, ("accounts", "survey_responses")),
    (events.orphan_accounts, ("accounts", "orders")),
    (events.merged_accounts, ("accounts",)),
    (events.deleted_tickets, ("tickets",)),
    (events.merge_cycle, ("tickets",)),
    (events.handle_time_outliers, ("interactions",)),
    (events.overlapping_shifts, ("agent_time",)),
    (events.restated_budget, ("budgets",)),
)
FEEDS = {inject.__name__: feeds for inject, feeds in _KINDS}
"""Name of every fault and the feeds whose files it needs."""
_STREAM = 40
"""First number of the path of this package's draws: no draw of the simulation changes when a fault is added."""


def chosen(names: Sequence[str], elsewhere: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Return the faults to do, in the order of the list; `all` excludes those whose feeds come from a system.

    Raises
    ------
    UsageError
        An unknown name, or a fault named for a feed that comes `elsewhere`.
    """
    unknown = sorted(set(names) - set(FEEDS) - {ALL})
    if unknown:
        raise UsageError(f"unknown fault {', '.join(unknown)}; known faults: {ALL}, {', '.join(FEEDS)}")
    for name in names:
        taken = sorted(elsewhere.intersection(FEEDS.get(name, ())))
        if taken:
            raise UsageError(f"fault {name} needs files of {', '.join(taken)}, which come from a system; remedy: leave one of them out")
    return tuple(name for name, feeds in FEEDS.items() if name in names or (ALL in names and elsewhere.isdisjoint(feeds)))


def inject(canonical: Path, names: Sequence[str], seed: int) -> list[dict[str, Any]]:
    """Do the named faults to the clean files below `canonical` and return what truth records; the same seed gives the same bytes.

    Raises
    ------
    UsageError
        The company has no file left that a fault could use.
    """
    landing = Landing(canonical)
    entries: list[dict[str, Any]] = []
    for place, (function, _) in enumerate(_KINDS):
        if function.__name__ in names:
            landing.fault = function.__name__
            done = function(landing, Draws(seed, _STREAM, place))
            entries += [entry.document() for entry in done]
    return entries


def remove_refused(landing: Path, entries: Sequence[dict[str, Any]]) -> None:
    """Take the refused files out of a landing folder, as an operator does once their redelivery has come."""
    for entry in entries:
        if entry["outcome"] == "refused" and (landing / entry["redelivered_as"]).exists():
            (landing / entry["file"]).unlink(missing_ok=True)
            (landing / (entry["file"] + ".manifest.json")).unlink(missing_ok=True)
