"""The size of the demo company that tests look into, its keys and the types of its columns."""

from __future__ import annotations

import hashlib
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import duckdb
import yaml

from demo_company.feeds import feed_columns

ACCOUNTS, MONTHS, SEED = 300, 5, 11
DIALECT = "all_varchar = true, delim = ',', quote = '\"', escape = '\"', header = true"
KEYS = {
    "accounts": "account_id",
    "tickets": "ticket_id",
    "interactions": "interaction_id",
    "orders": "order_id",
    "order_lines": "order_id, line_id",
    "payments": "payment_id",
    "refunds": "refund_id",
    "survey_responses": "response_id, question_key",
    "ledger_actuals": "journal_id, line_number, book_id",
    "budgets": "budget_version_id, line_id, fiscal_period",
    "fiscal_periods": "fiscal_period",
    "contacts": "contact_id",
    "fx_rates": "rate_date, from_currency_code, to_currency_code, rate_type, rate_source",
}
NEW_KEYS = {
    "account_merges": "from_account_id, merged_at",
    "account_touches": "account_touch_id",
    "agent_time": "agent_id, work_date, agent_state",
    "agents": "agent_id, valid_from_date",
    "benchmarks": "metric_id, benchmark_year, benchmark_source",
    "business_hours": "schedule_id, valid_from_date, weekday, start_minutes",
    "entitlements": "entitlement_id, valid_from_date",
    "feedback_items": "feedback_item_id",
    "holidays": "schedule_id, holiday_date",
    "initiatives": "initiative_id",
    "offers": "offer_id",
    "problem_events": "problem_event_id",
    "product_changes": "product_change_id",
    "recovery_actions": "recovery_action_id",
    "referrals": "referral_id",
    "reputation_scores": "score_date, reputation_source, audience",
    "ring_cadence": "country_code",
    "self_service_sessions": "session_id",
    "service_standards": "standard_id, valid_from_date",
    "staff_surveys": "team_id, quarter_start_date, item_key",
    "survey_invitations": "invitation_id",
    "ticket_events": "ticket_id, event_number",
    "tool_usage": "tool_id, usage_date, site_id",
    "training_events": "agent_id, module_id, started_at",
}
ALL_KEYS = KEYS | NEW_KEYS
UNITS = {"_at": "timestamptz", "_date": "date", "_seconds": "bigint", "_minutes": "bigint", "_count": "bigint", "_amount": "decimal(18,2)"}


def contract_file(project_dir: Path, feed: str) -> Path:
    return project_dir / "expectations" / "contracts" / f"{feed}.odcs.yaml"


def column_types(project_dir: Path, feed: str) -> dict[str, str]:
    """Types by the contract; where the tree has none yet, by the unit in the column's name."""
    if contract_file(project_dir, feed).exists():
        contract = yaml.safe_load(contract_file(project_dir, feed).read_text())
        return {column["name"]: column["physicalType"] for column in contract["schema"][0]["properties"]}
    columns = feed_columns((), (), ())[feed]
    by_name = {name: next((kind for ending, kind in UNITS.items() if name.endswith(ending)), "varchar") for name in columns}
    return by_name | {name: "boolean" for name in columns if name.startswith(("is_", "has_"))} | {"severity": "bigint"}


def content_hash(landing: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(landing.rglob("*.csv")):
        digest.update(f"{path.relative_to(landing)}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def by_month(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, int]:
    return {month: int(value) for month, value in connection.execute(sql).fetchall() if value}


def said(truth: dict[str, Any], part: str, name: str) -> dict[str, int]:
    return {month: values[name] for month, values in truth[part].items() if values[name]}


def converted(amount: Decimal, rate: Decimal | None) -> int:
    return int((amount * (rate or 1) * 100).quantize(Decimal(1), ROUND_HALF_UP))
