{{ config(materialized='monthly') }}

with watermark as (
    select * from {{ ref('int_core__watermark') }}
),

periods as (
    select dim_period.period_month, dim_period.is_complete_period, dim_period.has_tickets, dim_period.has_interactions, dim_period.has_orders
    from {{ rows_of('dim_period') }} as dim_period
    cross join watermark
    where dim_period.start_date <= watermark.as_of_date
),

cost_months as (
    select period_month, cast(sum({{ minor_units('cost_amount', 'watermark.currency_decimals') }}) as bigint) as cost_minor, bool_or(cost_amount is null) as is_fx_missing, bool_or(is_provisional) as is_provisional
    from {{ rows_of('fct_cost_line') }} as lines
    cross join watermark
    where is_roi_basis
    group by period_month
),

by_channel as (
    select
        unit_kind, period_month, channel,
        cast(coalesce(sum({{ minor_units('cost_amount', 'watermark.currency_decimals') }}), 0) as bigint) as cost_minor,
        case when sum(volume_count) > 0 or count(volume_count) = count(*) then cast(sum(volume_count) as bigint) end as volume_count
    from {{ rows_of('mart_unit_cost_detail') }} as details
    cross join watermark
    group by unit_kind, period_month, channel
),

revenue as (
    select period_month, cast(sum(net_minor) as bigint) as net_minor, bool_or(is_fx_missing) and count(net_minor) = 0 as is_fx_missing
    from (
        select period_month, {{ minor_units('net_amount', 'watermark.currency_decimals') }} as net_minor, is_fx_missing from {{ rows_of('fct_order_line_net') }} as lines cross join watermark where is_counted
        union all
        select period_month, -{{ minor_units('refund_amount', 'watermark.currency_decimals') }}, is_fx_missing from {{ rows_of('fct_refund') }} as refunds cross join watermark where is_counted
    ) as movements
    group by period_month
),

joined as (
    select
        periods.period_month, by_channel.unit_kind, by_channel.channel, periods.is_complete_period,
        case when not cost_months.is_fx_missing then by_channel.cost_minor end as cost_minor,
        case when (by_channel.unit_kind in ('ticket_closed', 'ticket_created') and periods.has_tickets) or (by_channel.unit_kind in ('call', 'interaction') and periods.has_interactions) then by_channel.volume_count end as volume_count,
        cast(null as bigint) as net_minor,
        cost_months.period_month is null as is_cost_absent,
        coalesce(cost_months.is_fx_missing, false) as is_fx_missing,
        coalesce(cost_months.is_provisional, false) as is_provisional
    from by_channel
    inner join periods on by_channel.period_month = periods.period_month
    left join cost_months on periods.period_month = cost_months.period_month
    union all
    select
        periods.period_month, 'sales_unit', 'all', periods.is_complete_period,
        case when not cost_months.is_fx_missing then cost_months.cost_minor end,
        null,
        case when watermark.has_order_lines and periods.has_orders and not coalesce(revenue.is_fx_missing, false) then coalesce(revenue.net_minor, 0) end,
        cost_months.period_month is null,
        coalesce(cost_months.is_fx_missing, false) or coalesce(revenue.is_fx_missing, false),
        coalesce(cost_months.is_provisional, false)
    from periods
    cross join watermark
    left join cost_months on periods.period_month = cost_months.period_month
    left join revenue on periods.period_month = revenue.period_month
),

mart_cost_per_unit as (
    select
        joined.period_month,
        joined.unit_kind,
        joined.channel,
        watermark.reporting_currency_code as currency_code,
        {{ amount_of('joined.cost_minor', 'watermark.currency_decimals') }} as cost_amount,
        joined.volume_count,
        {{ amount_of('joined.net_minor', 'watermark.currency_decimals') }} as net_amount,
        case
            when joined.unit_kind = 'sales_unit' then {{ unit_amount('joined.cost_minor', 'joined.net_minor') }}
            else {{ unit_amount('joined.cost_minor', 'joined.volume_count', 'watermark.currency_decimals') }}
        end as unit_cost_amount,
        joined.is_complete_period,
        joined.is_provisional,
        case
            when joined.is_cost_absent then 'source_absent'
            when joined.is_fx_missing then 'fx_missing'
            when coalesce(joined.volume_count, joined.net_minor) is null then 'source_absent'
            when coalesce(joined.volume_count, joined.net_minor) = 0 then 'zero_denominator'
        end as null_reason
    from joined
    cross join watermark
)

select * from mart_cost_per_unit
