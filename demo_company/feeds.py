"""All feeds that the demo company writes: their names in one place, and their columns, named as in the contracts."""

from __future__ import annotations

from demo_company.files import Column
from demo_company.finance_columns import finance_columns
from demo_company.service_columns import SERVICE_COLUMNS
from demo_company.trade_columns import TRADE_COLUMNS
from demo_company.voice_columns import VOICE_COLUMNS

FEEDS = (
    *("account_merges", "account_touches", "accounts", "agent_time", "agents", "benchmarks", "budgets", "business_hours", "contacts"),
    *("entitlements", "feedback_items", "fiscal_periods", "fx_rates", "holidays", "initiatives", "interactions", "ledger_actuals"),
    *("offers", "order_lines", "orders", "payments", "problem_events", "product_changes", "recovery_actions", "referrals", "refunds"),
    *("reputation_scores", "ring_cadence", "self_service_sessions", "service_standards", "staff_surveys", "survey_invitations"),
    *("survey_responses", "ticket_events", "tickets", "tool_usage", "training_events"),
)
"""A feed that is not named here is simulated and not written."""


def feed_columns(periods: tuple[str, ...], years: tuple[str, ...], versions: tuple[str, ...]) -> dict[str, dict[str, Column]]:
    """Columns of every feed in file order; values are positions in the ids of fiscal months, fiscal years and budget versions."""
    return finance_columns(periods, years, versions) | TRADE_COLUMNS | SERVICE_COLUMNS | VOICE_COLUMNS
