"""The accounts' values: who counts in which window and with which amount, scored chunk by chunk into one scratch table.

Concentration takes its histograms from it, tiers take its ranking. Holds populations. It must not hold a share or a tier.
"""

from __future__ import annotations

from datetime import date
from functools import partial

import numpy as np
import pyarrow as pa

from dagster_project.analytics.account_months import IDENTIFIED_OWN, WINDOWS, Calendar, account_months, window_sums
from dagster_project.analytics.columns import TEXT, WHOLE, optional, required
from dagster_project.engines.engine import Engine

KINDS = ("gross_sales", "net_revenue", "margin_after_service", "contacts", "payments")
_MEASURES = (
    "gross_sales", "net_revenue", "margin", "margin_unknown", "unpriced", "service_cost", "contacts", "payments", "payments_count",
    "has_sales",
)  # fmt: skip
# Grain account x window of identified accounts; windows are numbered by month, then kind. Values in minor units or contacts, null
# where the account is not in the population. `tier_amount`, of who has a tier, may lack something: `tier_reason` is then a position in
# TIER_REASONS.
TIER_REASONS = ("source_absent", "unit_cost_absent", "fx_missing")
VALUES = "scratch.account_window"
_COLUMNS = pa.schema([
    *required(account_id=TEXT, window_number=WHOLE), *optional(**dict.fromkeys(KINDS, WHOLE), tier_amount=WHOLE, tier_reason=WHOLE),
])  # fmt: skip


def _account_windows(chunk: pa.Table, *, calendar: Calendar, has_tiers: tuple[bool, ...], since: date | None) -> pa.Table:
    """Score a chunk of whole accounts: who counts in which window from `since` on, and with which value.

    Buyers for sales (any sale, credit or refund for net revenue), callers for contacts, payers for payments, and who bought or cost
    something for the margin after service. `has_tiers`: by month; every account seen so far has one, since who did nothing in the window
    is a row and not an absence.
    """
    parts, first = [], calendar.first_position(since)
    for sums in window_sums(chunk, calendar, _MEASURES, WINDOWS, first):
        of = sums.measures
        after_service = of["margin"] - of["service_cost"]
        counted = {
            "gross_sales": (of["gross_sales"], of["gross_sales"] > 0),
            "net_revenue": (of["net_revenue"], of["has_sales"] > 0),
            "margin_after_service": (after_service, (of["has_sales"] > 0) | (of["service_cost"] != 0) | (of["margin"] != 0)),
            "contacts": (of["contacts"], of["contacts"] > 0),
            "payments": (of["payments"], of["payments_count"] > 0),
        }
        chosen = np.array(has_tiers[first:], bool) & (sums.kind == "trailing_12")
        counted["tier_amount"] = (after_service, sums.seen & chosen)
        reasons = np.where(of["unpriced"] > 0, TIER_REASONS.index("fx_missing"), TIER_REASONS.index("unit_cost_absent"))
        counted["tier_reason"] = (reasons, sums.seen & chosen & ((of["unpriced"] > 0) | (of["margin_unknown"] > 0)))
        here = np.logical_or.reduce([who for _, who in counted.values()])
        accounts, months = np.nonzero(here)
        parts.append(pa.table({
            "account_id": sums.account_ids.take(pa.array(accounts)),
            "window_number": (first + months) * len(WINDOWS) + WINDOWS.index(sums.kind),
            **{name: pa.array(values[here], mask=~who[here]) for name, (values, who) in counted.items()},
        }))  # fmt: skip
    return pa.concat_tables(parts)


def write_account_values(engine: Engine, calendar: Calendar, has_tiers: tuple[bool, ...], since: date | None) -> None:
    """Replace the scratch table by the windows from `since` on; whoever calls drops it. `has_tiers` by month."""
    score = partial(_account_windows, calendar=calendar, has_tiers=has_tiers, since=since)
    engine.score(account_months(_MEASURES, calendar.folded(since), IDENTIFIED_OWN), "account_id", score, VALUES, _COLUMNS)
