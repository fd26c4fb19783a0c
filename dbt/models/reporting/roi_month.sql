with months as (
    select * from {{ source('analytics', 'mart_service_roi_month') }}
    where window_kind = 'month'
),

years as (
    select * from {{ source('analytics', 'mart_service_roi_month') }}
    where window_kind = 'trailing_12'
),

retention as (
    select * from {{ source('analytics', 'mart_retention_month') }}
),

concentration as (
    select * from {{ source('analytics', 'mart_concentration') }}
    where window_kind = 'trailing_12' and measure_kind = 'margin_after_service'
),

unit_costs as (
    select
        period_month,
        max(case when unit_kind = 'ticket_closed' then unit_cost_amount end) as cost_amount_per_ticket,
        max(case when unit_kind = 'call' then unit_cost_amount end) as cost_amount_per_call,
        max(case when unit_kind = 'interaction' then unit_cost_amount end) as cost_amount_per_interaction,
        max(case when unit_kind = 'sales_unit' then unit_cost_amount end) as cost_amount_per_sales_unit,
        max(case when unit_kind = 'sales_unit' then net_amount end) as net_revenue_amount
    from {{ ref('mart_cost_per_unit') }}
    where channel = 'all'
    group by period_month
),

sales as (
    select period_month, max(null_reason) as null_reason
    from {{ ref('mart_account_sales_month') }}
    group by period_month
),

final as (
    select
        months.period_month,
        months.service_cost_amount,
        unit_costs.net_revenue_amount,
        case when unit_costs.net_revenue_amount is null then coalesce(sales.null_reason, 'source_absent') end as net_revenue_null_reason,
        months.unpriced_count,
        months.contribution_margin_amount,
        months.margin_per_service_cost_ratio,
        months.margin_per_service_cost_null_reason,
        months.roi_hard_ratio,
        months.roi_hard_null_reason,
        months.net_benefit_amount,
        case when years.is_complete_period then years.margin_per_service_cost_ratio end as trailing_12_margin_per_service_cost_ratio,
        case when years.is_complete_period then years.margin_per_service_cost_null_reason else 'not_mature' end as trailing_12_margin_per_service_cost_null_reason,
        case when years.is_complete_period then years.roi_hard_ratio end as trailing_12_roi_hard_ratio,
        case when years.is_complete_period then years.roi_hard_null_reason else 'not_mature' end as trailing_12_roi_hard_null_reason,
        unit_costs.cost_amount_per_ticket,
        unit_costs.cost_amount_per_call,
        unit_costs.cost_amount_per_interaction,
        unit_costs.cost_amount_per_sales_unit,
        retention.retention_rate,
        retention.retention_null_reason,
        retention.retention_90_rate,
        retention.retention_90_null_reason,
        case when years.is_complete_period then concentration.top20_share end as top20_margin_after_service_ratio,
        case when years.is_complete_period then concentration.null_reason else 'not_mature' end as top20_margin_after_service_null_reason,
        months.is_provisional,
        months.is_complete_period,
        periods.waits_for,
        months.null_reason,
        months.currency_code
    from months
    inner join {{ ref('dim_period') }} as periods on months.period_month = periods.period_month
    left join years on months.period_month = years.period_month
    left join retention on months.period_month = retention.period_month
    left join concentration on months.period_month = concentration.period_month
    left join unit_costs on months.period_month = unit_costs.period_month
    left join sales on months.period_month = sales.period_month
)

select * from final
