{{ config(materialized='incremental') }}

with refunds as (
    select
        refunds.*,
        {{ business_date('refunds.refunded_at', 'watermark.company_time_zone') }} as refund_date
    from {{ ref('stg_refunds') }} as refunds
    cross join {{ ref('int_core__watermark') }} as watermark
    where {{ near_touched_months('refunds.refunded_at') }}
),

-- Cost comes back only with goods that went back on the shelf and whose cost is known.
valued as (
    select
        refunds.*,
        case when refunds.is_restocked then cast(round(order_lines.unit_cost * refunds.returned_quantity, 2) as decimal(18, 2)) end as transaction_recovered_amount
    from refunds
    left join {{ ref('stg_order_lines') }} as order_lines on refunds.order_id = order_lines.order_id and refunds.line_id = order_lines.line_id
),

fct_refund as (
    select
        valued.refund_id,
        valued.order_id,
        valued.line_id,
        coalesce(orders.account_id, 'ACCOUNT_UNKNOWN') as account_id,
        valued.refund_reason,
        valued.currency_code as transaction_currency_code,
        watermark.reporting_currency_code as currency_code,
        valued.is_chargeback,
        coalesce(valued.is_restocked, false) as is_restocked,
        not valued.is_deleted and coalesce(orders.is_counted, true) as is_counted,
        coalesce(orders.is_accepted_offer, false) as is_accepted_offer,
        valued.currency_code <> watermark.reporting_currency_code and fx.exchange_rate is null as is_fx_missing,
        orders.order_id is null as is_orphan,
        valued.returned_quantity,
        valued.refund_amount as transaction_refund_amount,
        {{ in_reporting_currency('valued.refund_amount', 'valued.currency_code') }} as refund_amount,
        {{ in_reporting_currency('coalesce(valued.transaction_recovered_amount, cast(0 as decimal(18, 2)))', 'valued.currency_code') }} as cost_recovered_amount,
        valued.refund_date,
        period_day.period_month,
        valued.refunded_at
    from valued
    cross join {{ ref('int_core__watermark') }} as watermark
    inner join {{ ref('int_core__period_day') }} as period_day on valued.refund_date = period_day.day
    left join {{ ref('fct_order') }} as orders on valued.order_id = orders.order_id
    left join {{ ref('int_core__fx_average') }} as fx
        on valued.currency_code = fx.currency_code and cast(date_trunc('month', valued.refund_date) as date) = fx.rate_month
    where {{ in_touched_months('period_day.period_month') }}
)

select * from fct_refund {{ in_month_order() }}
