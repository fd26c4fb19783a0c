"""What a controller reads of one month: header, lines, reconciliation, definitions and checks as exact Arrow tables.

Signs: costs, value and damage are positive in their own group; net benefit = value - damage - cost. Assumed value is listed
and never in a total. A row of kind `net` repeats its group's total, so sum rows of kind `detail` only.
Every figure is a column of a published table; account ids are never selected.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from dagster_project.errors import ChecksFailed, InfrastructureError, UsageError
from dagster_project.finance.periods import Period, is_year_complete, periods
from dagster_project.finance.restating import restatements
from dagster_project.publish.versions import Pointer

STATUS = "provisional"
NET_METRIC = "group_net"
_SQL = Path(__file__).with_name("lines.sql")
_RELATION = "analytics.mart_service_roi_month"
# line id, group, evidence tier, column, whether it counts in the group's total
_ROI_LINES = (
    ("value.hard", "value", "hard", "v_hard", True),
    ("value.modelled", "value", "modelled", "v_modelled", True),
    ("value.assumed", "value", "assumed", "v_assumed", False),
    ("damage.market", "damage", "modelled", "damage", True),
)
_RATIOS = ("margin_per_service_cost", "roi", "roi_hard", "roi_all", "roi_before_damage")
_BOUNDED = ("margin_per_service_cost", "roi")


@dataclass(frozen=True)
class Figures:
    """One month as a first version: a table for each part, in file order."""

    header: pa.Table
    lines: pa.Table
    reconciliation: pa.Table
    definitions: pa.Table
    restatements: pa.Table
    checks: pa.Table


def read_figures(connection: duckdb.DuckDBPyConnection, pointer: Pointer, period: Period) -> Figures:
    """Read one complete month from the published copy.

    Raises
    ------
    UsageError
        The copy has no ROI figures for the month.
    ChecksFailed
        A blocking check of the extract fails; each is named with what was observed.
    InfrastructureError
        The copy lacks a table that the extract needs.
    """
    try:
        return _read(connection, pointer, period)
    except duckdb.CatalogException as error:
        detail = str(error).splitlines()[0]
        raise InfrastructureError(f"{pointer.file} is not complete: {detail}; remedy: service-roi run --full-refresh") from error


def legal_entity(connection: duckdb.DuckDBPyConnection) -> str:
    """Return the reporting entity of the copy."""
    return str(_one(connection, "select legal_entity from ops.run_parameters")["legal_entity"])


def _read(connection: duckdb.DuckDBPyConnection, pointer: Pointer, period: Period) -> Figures:
    parameters = _one(connection, "select * from ops.run_parameters")
    keys: dict[str, Any] = {"month": period.period_month}
    if not connection.execute(f"select 1 from {_RELATION} where window_kind = 'month' and period_month = $month", keys).fetchone():
        raise UsageError(f"the published copy has no ROI figures for {period.label}")
    known = periods(connection)
    months = [other.period_month for other in known if other.period_month < period.period_month]
    keys |= {
        "prior_month": months[-1] if months else None,
        "fiscal_year": period.fiscal_year,
        "is_year_complete": is_year_complete(known, period, parameters["fiscal_year_start_month"]),
        "entity": parameters["legal_entity"],
        "period": period.label,
        "currency": parameters["reporting_currency_code"],
    }
    lines = connection.execute(_lines_sql(), keys).to_arrow_table()
    definitions = _definitions(connection, lines)
    checks = _checks(connection, period, lines, definitions)
    failed = [row for row in checks.to_pylist() if row["severity"] == "blocking" and row["result"] == "fail"]
    if failed:
        reasons = [f"{row['check_id']}: {row['description']}; found {row['observed']}, allowed {row['threshold']}" for row in failed]
        raise ChecksFailed("\n  ".join([f"no extract was written for {period.label}:", *reasons]))
    reconciliation = connection.execute(
        "select $entity as entity, $period as period, legal_entity, cost_category, pool_id, ledger_amount, out_of_scope_amount, "
        "capex_amount, allocated_amount, unallocated_amount, non_customer_amount, unused_amount, difference_amount, currency_code "
        "from marts.mart_cost_reconciliation where period_month = $month order by all",
        {name: keys[name] for name in ("entity", "period", "month")},
    ).to_arrow_table()
    header = _header(pointer, period, parameters, lines, reconciliation)
    return Figures(header, lines, reconciliation, definitions, restatements(None, lines, 1), checks)


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any]:
    rows = connection.execute(sql).to_arrow_table().to_pylist()
    if len(rows) != 1:
        raise InfrastructureError(f"the published copy must have exactly one row of run parameters, found {len(rows)}")
    return dict(rows[0])


def _lines_sql() -> str:
    roi = [
        f"""union all select '{line_id}', '{group}', '{tier}', null, null, null, null,
        max({name}_amount) filter (is_this), null, null, max({name}_amount) filter (is_prior),
        case when $is_year_complete and bool_and({name}_amount is not null) filter (is_in_year)
            then sum({name}_amount) filter (is_in_year) end,
        {is_in_total}, false, max({name}_null_reason) filter (is_this), null, '{_RELATION}', '{name}_amount' from roi"""
        for line_id, group, tier, name, is_in_total in _ROI_LINES
    ]
    # a month without cost lines still has its cost line: 0.00, or nothing with the reason
    roi.append(
        f"""union all select 'cost.total', 'cost', 'ledger', null, null, null, null, service_cost_amount, null, null, null, null,
        true, is_provisional, service_cost_null_reason, 'service_cost', '{_RELATION}', 'service_cost_amount'
        from roi where is_this and not exists (from cost)"""
    )
    roi += [
        f"""union all select 'memo.{name}', 'memo', null, null, null, null, null, max({name}_amount) filter (is_this), null, null,
        max({name}_amount) filter (is_prior),
        case when $is_year_complete and bool_and({name}_amount is not null) filter (is_in_year)
            then sum({name}_amount) filter (is_in_year) end,
        false, {estimate}, max({reason}) filter (is_this), null, '{relation}', '{name}_amount' from roi"""
        for name, reason, relation, estimate in (
            ("net_revenue", "net_revenue_null_reason", "reporting.roi_month", "false"),
            ("contribution_margin", "contribution_margin_null_reason", _RELATION, "false"),
            ("net_benefit", "null_reason", _RELATION, "coalesce(bool_or(is_provisional) filter (is_this), false)"),
        )
    ]
    ratios = [
        f"""union all select '{name}.' || window_kind, null, {name}_ratio, 'ratio', null,
        {f"{name}_low95_ratio" if name in _BOUNDED else "null"}, {f"{name}_high95_ratio" if name in _BOUNDED else "null"},
        is_provisional, {"null_reason" if name == "roi" else f"{name}_null_reason"}, null, '{_RELATION}', '{name}_ratio'
        from {_RELATION} where period_month = $month and is_complete_period"""
        for name in _RATIOS
    ]
    return _SQL.read_text(encoding="utf-8").replace("{roi_lines}", "\n".join(roi), 1).replace("{ratio_lines}", "\n".join(ratios), 1)


def _definitions(connection: duckdb.DuckDBPyConnection, lines: pa.Table) -> pa.Table:
    """Return the definition of every metric of the lines and of the reconciliation, and of the rows of kind `net`."""
    net = {"version": 1, "owner": "finance", "formula": "sum of the lines of the group that are in its total", "unit": "money"}
    own = ", ".join(f"{value!r} as {name}" for name, value in {"metric_id": NET_METRIC, **net, "direction": "neutral"}.items())
    used = {"used": sorted({name for name in lines["metric_id"].to_pylist() if name} | {"cost_reconciliation_difference"})}
    found = "select * from ops.metric_registry where metric_id in (select unnest($used))"
    return connection.execute(f"{found} union all by name select {own} order by metric_id, version", used).to_arrow_table()


def _net(lines: pa.Table, group: str) -> Decimal | None:
    return next((row["reporting_amount"] for row in lines.to_pylist() if row["line_id"] == f"{group}.net"), None)


def _header(pointer: Pointer, period: Period, parameters: dict[str, Any], lines: pa.Table, reconciliation: pa.Table) -> pa.Table:
    amounts = {row["line_id"]: row["reporting_amount"] for row in lines.to_pylist()}
    ratios = {row["line_id"]: row["quantity"] for row in lines.to_pylist()}
    text, money, ratio = pa.string(), pa.decimal128(18, 3), pa.decimal128(20, 6)
    fields: list[tuple[str, pa.DataType, Any]] = [
        ("entity", text, parameters["legal_entity"]),
        ("period", text, period.label),
        ("fiscal_year", text, period.fiscal_year),
        ("start_date", pa.date32(), period.start_date),
        ("end_date", pa.date32(), period.end_date),
        ("version", pa.int32(), 1),
        ("status", text, STATUS),
        ("data_as_of", text, pointer.data_as_of),
        ("currency_code", text, parameters["reporting_currency_code"]),
        ("fx_rate_type", text, "average"),
        ("content_hash", text, pointer.content_hash),
        ("assumptions_sha256", text, parameters["assumptions_sha256"]),
        ("line_count", pa.int64(), lines.num_rows),
        ("reconciliation_count", pa.int64(), reconciliation.num_rows),
        ("cost_amount", money, _net(lines, "cost")),
        ("value_amount", money, _net(lines, "value")),
        ("damage_amount", money, _net(lines, "damage")),
        ("net_benefit_amount", money, amounts["memo.net_benefit"]),
        ("roi_ratio", ratio, ratios.get("roi.month")),
        ("roi_hard_ratio", ratio, ratios.get("roi_hard.month")),
        ("margin_per_service_cost_ratio", ratio, ratios.get("margin_per_service_cost.month")),
    ]
    return pa.table({name: pa.array([value], kind) for name, kind, value in fields})


def _checks(connection: duckdb.DuckDBPyConnection, period: Period, lines: pa.Table, definitions: pa.Table) -> pa.Table:
    def value(sql: str) -> Any:
        return (connection.execute(sql, {"month": period.period_month}).fetchone() or (None,))[0]

    cost = _net(lines, "cost")
    month_cost = value(f"select service_cost_amount from {_RELATION} where window_kind = 'month' and period_month = $month")
    accounts = value(
        "select sum(service_cost_amount) from analytics.mart_service_roi_account where window_kind = 'month' and period_month = $month"
    )
    spread = value(
        "select sum(allocated_amount + unallocated_amount + non_customer_amount + unused_amount) "
        "from marts.mart_cost_reconciliation where period_month = $month"
    )
    broken = value(
        "select count(*) from marts.mart_cost_reconciliation where period_month = $month and difference_amount is distinct from 0"
    )
    unpriced = value(
        "select (select count(*) from marts.fct_cost_line where period_month = $month and is_roi_basis and cost_amount is null) "
        "+ (select count(*) from marts.fct_order_line_net where period_month = $month and is_counted and is_fx_missing) "
        "+ (select count(*) from marts.fct_refund where period_month = $month and is_counted and is_fx_missing)"
    )
    net = {row["line_id"]: row["reporting_amount"] for row in lines.to_pylist() if row["line_id"] == "memo.net_benefit"}["memo.net_benefit"]
    measured = [
        sign * (_net(lines, group) or Decimal(0)) for group, sign in (("value", 1), ("damage", -1))
    ]  # what is unknown is in neither
    parts = None if net is None or cost is None else sum(measured, -cost)
    undefined = {row["metric_id"] for row in lines.to_pylist()} - set(definitions["metric_id"].to_pylist())
    rows = [
        ("reconciliation_is_zero", "rows of the cost reconciliation whose difference is not 0.00", broken, 0),
        ("cost_ties_to_reconciliation", "cost lines less allocated, unallocated, non-customer and unused cost", _gap(cost, spread), 0),
        ("cost_ties_to_roi", "cost lines less the cost of the company's ROI", _gap(cost, month_cost), 0),
        ("accounts_tie_to_company", "cost of all accounts, pseudo-accounts included, less the company's", _gap(accounts, month_cost), 0),
        ("net_benefit_ties", "value less damage less cost, less the company's net benefit", _gap(parts, net), 0),
        ("lines_are_defined", "metrics of the lines without a definition in the file", len(undefined), 0),
        ("rates_are_complete", "cost lines, order lines and refunds of the month without an exchange rate", unpriced, 0),
    ]
    return pa.table({
        "check_id": [row[0] for row in rows],
        "description": [row[1] for row in rows],
        "severity": ["blocking"] * len(rows),
        "result": ["not_checked" if row[2] is None else "pass" if row[2] == row[3] else "fail" for row in rows],
        "observed": ["unknown on both sides" if row[2] is None else str(row[2]) for row in rows],
        "threshold": [str(row[3]) for row in rows],
    })  # fmt: skip


def _gap(left: Decimal | None, right: Decimal | None) -> Decimal | str | None:
    """Return the difference; None where neither side is known, words where one is: unknown is not 0.00."""
    if left is None or right is None:
        return None if left is right else f"{left or 'unknown'} less {right or 'unknown'}"
    return left - right
