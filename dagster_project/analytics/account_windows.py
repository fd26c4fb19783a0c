"""SQL: the accounts' months and their windows, in whole thousandths of the currency, exactly.

`months` are numbered as in `Inputs.calendar`; a window is named by its `window_number` there. Holds reading and window sums only.
It must not hold a formula of a metric.
"""

from __future__ import annotations

from collections.abc import Sequence

TRAILING_MONTHS = 12
WINDOWS = ("month", "trailing_12", "to_date")
# What is unknown counts next to what is known, so that a window can tell "0" from "not known". Sums are of what has a rate, and a margin or
# an offer is unknown where net revenue is not when a unit cost is. Up to two rows for an account and month, one of service, one of sales.
_SERVICE = {
    "service_cost": "cast(coalesce(service_cost_amount, 0) * 1000 as bigint)",
    "cost_unknown": "cast(coalesce(null_reason = 'fx_missing', false) as bigint)",
    "contacts": "cast(coalesce(contacts_count, 0) as bigint)",
}
_SALES = {
    "margin": "cast(coalesce(contribution_margin_amount, 0) * 1000 as bigint)",
    "margin_unknown": "cast(contribution_margin_amount is null and net_revenue_amount is not null as bigint)",
    "offer_margin": "cast(coalesce(offer_margin_amount, 0) * 1000 as bigint)",
    "offer_unknown": "cast(offer_margin_amount is null and net_revenue_amount is not null as bigint)",
    "gross_sales": "cast(coalesce(gross_sales_amount, 0) * 1000 as bigint)",
    "net_revenue": "cast(coalesce(net_revenue_amount, 0) * 1000 as bigint)",
    "payments": "cast(coalesce(payment_amount, 0) * 1000 as bigint)",
    "payments_count": "cast(coalesce(payments_count, 0) as bigint)",
    "payments_known": "cast(payment_amount is not null as bigint)",
    "payments_unpriced": "cast(coalesce(unpriced_payments_count, 0) as bigint)",
    "sales_known": "cast(net_revenue_amount is not null as bigint)",
    "unpriced": "cast(coalesce(unpriced_count, 0) as bigint)",
    "has_sales": "cast(coalesce(gross_sales_amount <> 0 or credit_amount <> 0 or refund_amount <> 0, false) as bigint)",
}
MEASURES = (*_SERVICE, *_SALES)
IDENTIFIED_OWN = "not exists (select 1 from marts.dim_account as pseudo where pseudo.is_pseudo and pseudo.account_id = own.account_id)"
MONTHS = "select period_month, cast(row_number() over (order by period_month) as bigint) as month_number from marts.dim_period"


def movements(measures: Sequence[str]) -> str:
    """Query these measures of every account and month, not summed yet."""
    parts = []
    for table, own in (("mart_account_service_month", _SERVICE), ("mart_account_sales_month", _SALES)):
        values = ", ".join(f"{own.get(name, 'cast(0 as bigint)')} as {name}" for name in measures)
        parts.append(f"select account_id, period_month, {values} from marts.{table}")
    return " union all ".join(parts)


def account_windows(measures: Sequence[str], kinds: Sequence[str], first: int, last: int, *, silent: bool, where: str = "true") -> str:
    """Query the sums of measures, grain account x window that ends in a month from number `first` to `last`.

    Columns: account_id, window_number, the measures. An account is in a window when it has a month there; where `silent`, in every trailing
    window and every window to date from its first month on. `where` is a condition on the rows `own`. Of the months before `first` those
    that no window tells apart are read as one.
    """
    opening = first - TRAILING_MONTHS
    is_read = "true" if silent else f"months.month_number > {opening}"
    until = "" if silent else f" and months.month_number < spans.last_month + {TRAILING_MONTHS}"
    windows = " union all ".join(_window(kind, measures, first, silent=silent) for kind in kinds)
    return f"""
    with months as (select * from ({MONTHS}) as numbered where month_number <= {last}),
    by_month as (
        select own.account_id, greatest(months.month_number, {opening}) as month_number, {_sums(measures, "own")}
        from ({movements(measures)}) as own inner join months on own.period_month = months.period_month
        where {where} and {is_read}
        group by own.account_id, greatest(months.month_number, {opening})
    ),
    spans as (select account_id, min(month_number) as first_month, max(month_number) as last_month from by_month group by account_id),
    every_month as (
        select spans.account_id, months.month_number from spans inner join months on months.month_number >= spans.first_month{until}
    )
    {windows}
    """


def _window(kind: str, measures: Sequence[str], first: int, *, silent: bool) -> str:
    """Query the windows of one kind out of `by_month` and `every_month`."""
    number = f"month_number * {len(WINDOWS)} + {WINDOWS.index(kind)} as window_number"
    if kind == "month":
        return f"select account_id, {number}, {', '.join(measures)} from by_month where month_number >= {first}"
    rows = {"trailing_12": f"{TRAILING_MONTHS - 1} preceding", "to_date": "unbounded preceding"}[kind]
    sums = ", ".join(f"cast(sum(coalesce(by_month.{name}, 0)) over ending as bigint) as {name}" for name in measures)
    return f"""
        select account_id, {number}, {", ".join(measures)}
        from (
            select every_month.account_id, every_month.month_number, count(by_month.month_number) over ending as months, {sums}
            from every_month left join by_month
                on every_month.account_id = by_month.account_id and every_month.month_number = by_month.month_number
            window ending as (partition by every_month.account_id order by every_month.month_number rows between {rows} and current row)
        ) as summed
        where month_number >= {first}{"" if silent else " and months > 0"}
    """


def _sums(measures: Sequence[str], of: str) -> str:
    return ", ".join(f"cast(sum({of}.{name}) as bigint) as {name}" for name in measures)
