"""Templates of feeds: a CSV with a header and one example row, and a page with what the contract says of each column.

Holds example values and the writer. What a column means, needs and allows comes from the contract alone.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from dagster_project.contracts.model import Column, Contract, feeds, load_contract
from dagster_project.errors import UsageError, did_you_mean

_INSTANT = "2026-01-05T09:00:00Z"
_LATER = "2026-01-05T10:30:00Z"
_DAY = "2026-01-05"

# Columns of one name mean the same in every feed; a column that is neither here nor required stays empty.
_BY_COLUMN = {
    "account_name": "Example Ltd", "account_kind": "b2b", "lifecycle_state": "active", "segment": "retail", "country_code": "DE",
    "time_zone": "Europe/Berlin", "language_code": "en", "currency_code": "EUR", "presentment_currency_code": "EUR",
    "from_currency_code": "USD", "to_currency_code": "EUR", "exchange_rate": "0.92150000", "rate_type": "closing", "rate_source": "ECB",
    "account_id": "A-1", "contact_id": "P-1", "ticket_id": "T-1", "order_id": "O-1", "line_id": "1", "product_id": "SKU-1",
    "interaction_id": "I-1", "agent_id": "E-1", "team_id": "TEAM-1", "department_id": "SERVICE", "ticket_number": "1",
    "priority": "normal", "ticket_type": "question", "first_solved_at": _LATER, "last_solved_at": _LATER, "answered_at": _INSTANT,
    "queued_at": _INSTANT, "ended_at": _LATER, "responded_at": _LATER, "invited_at": _INSTANT, "done_at": _LATER, "paid_at": _LATER,
    "received_at": _INSTANT, "talk_seconds": "180", "wrap_seconds": "30", "handle_seconds": "600", "quantity": "2",
    "unit_price": "10.00", "discount_amount": "1.00", "unit_cost": "6.00", "payment_amount": "19.00", "payment_method": "card",
    "refund_amount": "9.50", "legal_entity": "COMPANY", "cost_centre": "4100", "fiscal_period": "2026-01", "fiscal_year": "FY2026",
    "gl_account": "6000", "pool_id": "people", "ledger_amount": "1250.00", "budget_amount": "15000.00", "start_date": "2026-01-01",
    "valid_from_date": "2026-01-01", "weekday": "1", "start_minutes": "540", "end_minutes": "1020", "state_seconds": "3600",
    "employment_kind": "employee", "agent_role": "agent", "hourly_cost_amount": "32.50", "hire_date": "2025-03-01", "scale_min": "1",
    "scale_max": "5", "score": "4", "mean_score": "3.8000", "answers_count": "12", "reputation_score": "4.2000",
    "training_hours": "2.50", "median_value": "85.0000", "ring_cycle_seconds": "5.000", "referred_account_id": "A-2",
    "net_amount": "19.00", "gross_amount": "20.00", "line_number": "1", "source_updated_at": _LATER,
}  # fmt: skip
_BY_FEED = {
    "account_merges": {"from_account_id": "A-2", "to_account_id": "A-1"},
    "fiscal_periods": {"end_date": "2026-01-31"},
    "budgets": {"line_id": "B-1"},
    "entitlements": {"line_id": ""},
    "initiatives": {"initiative_name": "Answers from a knowledge base", "target_metric_id": "aht_minutes", "baseline_value": "9.5000"},
    "orders": {"interaction_id": ""},
    "interactions": {"channel": "phone"},
    "queue_intervals": {
        "queue": "orders", "interval_seconds": "1800", "department_id": "SERVICE", "offered_count": "12", "answered_count": "10",
        "abandoned_count": "2", "short_abandoned_count": "1", "answered_within_count": "8", "target_seconds": "20",
        "answered_wait_seconds": "150", "wait_seconds": "190", "longest_wait_seconds": "61", "handle_seconds": "2400",
    },
    "recovery_actions": {"recovery_amount": "10.00"},
    "referrals": {"referrer_account_id": "A-1"},
    "service_standards": {
        "standard_text": "Calls are answered before the third ring", "metric_id": "ring_count", "comparator": "<", "threshold_value": "3",
        "unit": "rings", "population": "calls", "target_share": "0.9", "channel": "phone",
    },
    "staff_surveys": {"quarter_start_date": "2026-01-01", "item_key": "workload"},
    "survey_responses": {"survey_metric": "csat"},
    "survey_invitations": {"channel": "email"},
    "tickets": {"ticket_state": "solved"},
    "training_events": {"scale_max": ""},
}  # fmt: skip


def example_value(contract: Contract, column: Column) -> str:
    """Return the example of one column as a CSV spells it; empty where the column may stay empty and has no example."""
    by_feed = _BY_FEED.get(contract.feed, {})
    if column.name in by_feed:
        return by_feed[column.name]
    if column.name in _BY_COLUMN:
        return _BY_COLUMN[column.name]
    if column.default is not None:
        return column.default
    if not column.required:
        return ""
    if column.valid_values:
        return column.valid_values[0]
    match column.sql_type:
        case "timestamptz":
            return _INSTANT
        case "date":
            return _DAY
        case "bigint":
            return str(max(1, int(column.minimum or 0)))
        case "varchar":
            return f"{column.name.removesuffix('_id')}-1"
        case _:
            return "1"


def template_csv(contract: Contract) -> str:
    """Return the header in the order of the contract and one example row."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(contract.names)
    writer.writerow(example_value(contract, column) for column in contract.columns)
    return out.getvalue()


def template_page(contract: Contract) -> str:
    """Return what the contract says of the feed and of each column, as Markdown."""
    key = ", ".join(f"`{name}`" for name in contract.primary_key)
    lines = [
        f"# {contract.feed}",
        "",
        f"A row is {contract.purpose[0].lower()}{contract.purpose[1:]} Key: {key}.",
        "Of rows with one key the latest `source_updated_at` counts.",
        f"Deliver it as `canonical/{contract.feed}/<YYYY-MM-DD>/{contract.feed}.csv` below the landing folder. Replace the example row.",
        "A column that is not required may be omitted.",
        "",
        "| column | meaning | type | unit | required | allowed values |",
        "|---|---|---|---|---|---|",
    ]
    for column in contract.columns:
        needed = "yes" if column.required and column.default is None else "" if column.default is None else f"no, else {column.default}"
        cells = (f"`{column.name}`", column.description, column.sql_type, column.unit or "", needed, _allowed(column))
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _allowed(column: Column) -> str:
    if column.valid_values:
        return ", ".join(column.valid_values)
    bounds = ((">= ", column.minimum), ("> ", column.exclusive_minimum), ("<= ", column.maximum))
    shown = [f"{sign}{bound.normalize():f}" for sign, bound in bounds if bound is not None]
    return ", ".join([*shown, *([f"pattern `{column.pattern}`"] if column.pattern else [])])


def write_templates(names: Sequence[str], folder: Path, *, force: bool = False) -> list[Path]:
    """Write `<feed>.csv` and `<feed>.md` of each feed into a folder and return their paths; nothing is written unless all can be.

    Raises
    ------
    UsageError
        An unknown feed, or a file that is there already without `force`.
    """
    for name in names:
        if name not in feeds():
            raise UsageError(f"no feed {name}{did_you_mean(name, feeds())}; known feeds: {', '.join(feeds())}")
    contents = {
        folder / f"{name}.{kind}": make(load_contract(name))
        for name in dict.fromkeys(names)
        for kind, make in (("csv", template_csv), ("md", template_page))
    }
    existing = [str(path) for path in contents if path.exists()]
    if existing and not force:
        raise UsageError(f"{', '.join(existing)} exists already; remedy: another --out, or --force to overwrite")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is no folder; remedy: another --out")
    folder.mkdir(parents=True, exist_ok=True)
    for path, content in contents.items():
        path.write_text(content, encoding="utf-8")
    return list(contents)
