"""What a run prints when it is done: the ROI table of the latest months, reconciliation, where things are, what checks warned of."""

from __future__ import annotations

import io
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from dagster_project.contracts.currencies import as_money, decimals_of
from dagster_project.publish.reader import query, served
from dagster_project.settings import Settings

_TABLE = """
select period_month as month, service_cost_amount::{money} as service_cost, net_revenue_amount::{money} as net_revenue,
    contribution_margin_amount::{money} as margin,
    round(margin_per_service_cost_ratio, 4) as margin_per_service_cost, round(roi_hard_ratio, 4) as roi_hard,
    coalesce(margin_per_service_cost_null_reason, roi_hard_null_reason, '') as null_reason
from reporting.roi_month where is_complete_period order by period_month desc limit 6
"""
_RECONCILIATION = """
select coalesce(sum(ledger_amount), 0) as ledger, coalesce(sum(allocated_amount), 0) as allocated,
    coalesce(sum(unallocated_amount), 0) as unallocated, coalesce(sum(out_of_scope_amount), 0) as out_of_scope,
    coalesce(sum(non_customer_amount), 0) as non_customer,
    coalesce(sum(capex_amount), 0) as capex, coalesce(sum(abs(difference_amount)), 0) as difference
from marts.mart_cost_reconciliation
"""
_HEADLINE = """
select strftime(period_month, '%Y-%m') as month, service_cost_amount::varchar as service_cost,
    coalesce(roi_hard_ratio::decimal(18, 4)::varchar, roi_hard_null_reason) as roi_hard,
    coalesce(margin_per_service_cost_ratio::decimal(18, 4)::varchar, margin_per_service_cost_null_reason) as margin_per_service_cost
from reporting.roi_month where is_complete_period order by period_month desc limit 1
"""


def headline(home: Path) -> dict[str, str]:
    """Return month, service cost and ratios of the latest complete month of the served copy; for an unknown figure its reason."""
    with served(home) as (connection, _):
        found = connection.execute(_HEADLINE).to_arrow_table().to_pylist()
    return {name: str(value) for row in found for name, value in row.items()}


def summary(settings: Settings, outcome: dict[str, Any], warnings: Sequence[str] = ()) -> str:
    """Return the text; every figure in it is read from the published copy."""
    with served(settings.home) as (connection, pointer):
        sums = connection.execute(_RECONCILIATION).fetchone() or (Decimal(0),) * 7
        ((currency,),) = connection.execute("select reporting_currency_code from ops.run_parameters").fetchall()
    amounts = (as_money(Decimal(amount), currency) for amount in sums)
    ledger, allocated, unallocated, out_of_scope, non_customer, capex, difference = amounts
    table = io.StringIO()
    query(settings.home, _TABLE.format(money=f"decimal(18, {decimals_of(currency)})"), out=table)
    lines = [
        table.getvalue().rstrip(),
        f"reconciliation  ledger {ledger} = allocated {allocated} + unallocated {unallocated} + out of scope {out_of_scope}"
        f" + not customers {non_customer}{f' + capital expenditure {capex}' if capex else ''}, difference {difference}",
        f"published copy  {settings.published / pointer.file}",
    ]
    lines += [f"{name} {outcome[key]}" for key, name in (("extract", "finance extract"), ("report", "first page     ")) if key in outcome]
    lines += outcome.get("waiting", ())
    if warnings:
        lines.append(f"{len(warnings):,} {'check' if len(warnings) == 1 else 'checks'} warned; all of it in ops.warnings")
    return "\n".join([*lines, *(f"  {warning}" for warning in warnings)])
