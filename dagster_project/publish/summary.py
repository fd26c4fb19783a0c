"""What a run prints when it is done: the ROI table of the latest months, reconciliation, where things lie, what checks warned of."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from dagster_project.publish.reader import query, served
from dagster_project.settings import Settings

_TABLE = """
select period_month as month, service_cost_amount as service_cost, net_revenue_amount as net_revenue, contribution_margin_amount as margin,
    round(gross_roi_ratio, 4) as gross_roi, round(roi_hard_ratio, 4) as roi_hard,
    coalesce(null_reason, '') as null_reason
from reporting.roi_month where is_complete_period order by period_month desc limit 6
"""
_RECONCILIATION = """
select coalesce(sum(ledger_amount), 0) as ledger, coalesce(sum(allocated_amount), 0) as allocated,
    coalesce(sum(unallocated_amount), 0) as unallocated, coalesce(sum(out_of_scope_amount), 0) as out_of_scope,
    coalesce(sum(non_customer_amount), 0) as non_customer,
    coalesce(sum(abs(difference_amount)), 0) as difference
from marts.mart_cost_reconciliation
"""


def summary(settings: Settings, outcome: dict[str, Any], warnings: Sequence[str] = ()) -> str:
    """Return the text; every figure in it is read from the published copy."""
    with served(settings.home) as (connection, pointer):
        sums = connection.execute(_RECONCILIATION).fetchone() or (0,) * 6
    table = io.StringIO()
    query(settings.home, _TABLE, out=table)
    lines = [
        table.getvalue().rstrip(),
        "reconciliation  ledger {} = allocated {} + unallocated {} + out of scope {} + not customers {}, difference {}".format(*sums),
        f"published copy  {settings.published / pointer.file}",
    ]
    if outcome.get("extract"):
        lines.append(f"finance extract {outcome['extract']}")
    if warnings:
        lines.append(f"{len(warnings):,} {'check' if len(warnings) == 1 else 'checks'} warned; all of it in ops.warnings")
    return "\n".join([*lines, *(f"  {warning}" for warning in warnings)])
