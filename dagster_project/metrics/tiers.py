"""Tiers of customers by their share of all positive value: A, B, C, and D for losers, N for who brought nothing.

Frames have a row for each customer, ranked best first within a population. Source: Dickie (1951), "ABC Inventory
Analysis Shoots for Dollars, not Pennies", Factory Management and Maintenance 109(7).
Holds formulas and their null rules. It must not know periods, windows or tables.
"""

from __future__ import annotations

import math
from decimal import Decimal

import pandas as pd

from dagster_project.metrics.reasons import KNOWN, first_case, worded

TIERS = ("A", "B", "C", "D", "N")
REASONS = ("source_absent", "fx_missing", "unit_cost_absent")


def tier(ranked: pd.DataFrame, a_share: Decimal, b_share: Decimal) -> pd.DataFrame:
    """Return `cumulative_share` and `account_tier`: A up to `a_share` of the positive value, B up to `b_share`, C the rest, D below 0, N 0.

    `ranked`, whole minor units: amount; positive, the sum of the positive amounts of all customers ranked before and of this one, best
    first; positive_total, that of the complete population. The customer who crosses a line belongs to the better tier, so that A alone
    holds at least its share: a line is the share of the total, exact, rounded up to whole units. `cumulative_share` is NaN when no
    customer is positive, and stays 1 after the positive ones.
    """
    amount, positive, total = (ranked[name] for name in ("amount", "positive", "positive_total"))
    before, totals = positive - amount.clip(lower=0), total.unique()
    of_a, of_b = (total.map({one: math.ceil(share * int(one)) for one in totals}) for share in (a_share, b_share))
    cases = [(amount < 0, "D"), (amount == 0, "N"), (before < of_a, "A"), (before < of_b, "B"), (amount > 0, "C")]
    return pd.DataFrame(
        {"cumulative_share": positive / total.where(total > 0), "account_tier": worded(first_case(cases, TIERS), TIERS, ranked.index)}
    )


def account_tiers(ranked: pd.DataFrame, a_share: Decimal, b_share: Decimal) -> pd.DataFrame:
    """Return `tier_amount` and `rank` (`Int64`), `cumulative_share` and `account_tier`, and `null_reason` where they are not known.

    `ranked` as `tier` takes it, with rank; has_cost and has_orders of the window; cost_unknown of all its customers; unpriced and
    margin_unknown of the customer. What is known of a customer stays in the ranking, so that the tiers of the others do not move.
    """
    cases = [
        (~(ranked["has_cost"] & ranked["has_orders"]), "source_absent"),
        ((ranked["cost_unknown"] > 0) | (ranked["unpriced"] > 0), "fx_missing"),
        (ranked["margin_unknown"] > 0, "unit_cost_absent"),
    ]
    codes = first_case(cases, REASONS)
    found = tier(ranked, a_share, b_share).assign(tier_amount=ranked["amount"].astype("Int64"), rank=ranked["rank"].astype("Int64"))
    found.loc[codes != KNOWN, :] = pd.NA
    return found.assign(null_reason=worded(codes, REASONS, ranked.index))
