{{ config(materialized='monthly') }}

with refunds as (
    select
        refunds.*,
        {{ key_of('refunds', 'refund_id') }} as refund_key,
        {{ business_date('refunds.refunded_at', 'watermark.company_time_zone') }} as refund_date
    from {{ rows_near('stg_refunds', 'refunded_at') }} as refunds
    cross join {{ ref('int_core__watermark') }} as watermark
),

of_orders as (
    select
        refunds.*,
        {% for column in ['order_key', 'account_id', 'is_counted', 'is_accepted_offer', 'order_date', 'transaction_currency_code'] -%}
        {{ of_named('orders', column) }} as order_{{ column | replace('order_', '') }},
        {% endfor -%}
        {{ of_named('orders', 'order_id') }} is null as is_orphan
    from refunds
    {{ left_join_named(ref('fct_order'), 'orders', 'order_key', 'refunds', 'order_id') }}
),

-- The lines of an order come from its own system, or from the one that delivers lines of that id.
order_lines as (
    select {{ of_named('orders', 'order_key') }} as order_key, lines.line_id, max(lines.unit_cost) as unit_cost
    from {{ ref('stg_order_lines') }} as lines
    {{ left_join_named(ref('fct_order'), 'orders', 'order_key', 'lines', 'order_id') }}
    where lines.order_id in (select refunds.order_id from refunds) and {{ of_named('orders', 'order_key') }} is not null
    group by 1, 2
),

-- Cost comes back only with goods that went back on the shelf and whose cost is known.
valued as (
    select
        refunds.*,
        case when refunds.is_restocked then {{ rounded_money('cast(order_lines.unit_cost as decimal(19, 4)) * refunds.returned_quantity', currency_decimals('refunds.currency_code')) }} end as transaction_recovered_amount
    from of_orders as refunds
    left join order_lines on refunds.order_key = order_lines.order_key and refunds.line_id = order_lines.line_id
),

fct_refund as (
    select
        valued.refund_key,
        valued.refund_id,
        valued.order_key,
        valued.order_id,
        valued.line_id,
        coalesce(valued.order_account_id, 'ACCOUNT_UNKNOWN') as account_id,
        valued.refund_reason,
        valued.currency_code as transaction_currency_code,
        watermark.reporting_currency_code as currency_code,
        valued.is_chargeback,
        coalesce(valued.is_restocked, false) as is_restocked,
        not valued.is_deleted and coalesce(valued.order_is_counted, true) as is_counted,
        coalesce(valued.order_is_accepted_offer, false) as is_accepted_offer,
        {{ in_reporting_currency('valued.refund_amount', 'valued.currency_code') }} is null as is_fx_missing,
        valued.is_orphan,
        valued.returned_quantity,
        valued.refund_amount as transaction_refund_amount,
        {{ in_reporting_currency('valued.refund_amount', 'valued.currency_code') }} as refund_amount,
        {{ in_reporting_currency('coalesce(valued.transaction_recovered_amount, cast(0 as decimal(18, 3)))', 'valued.currency_code') }} as cost_recovered_amount,
        valued.refund_date,
        period_day.period_month,
        valued.refunded_at
    from valued
    cross join {{ ref('int_core__watermark') }} as watermark
    inner join {{ ref('int_core__period_day') }} as period_day on valued.refund_date = period_day.day
    -- What comes back in the currency of the order takes back what the order brought, at the rate of the order: a full return leaves nothing.
    left join {{ ref('int_core__period_day') }} as rate_day
        on case when valued.currency_code = valued.order_transaction_currency_code then valued.order_date else valued.refund_date end = rate_day.day
    left join {{ ref('int_core__fx_average') }} as fx
        on valued.currency_code = fx.currency_code and rate_day.period_month = fx.period_month
)

select * from fct_refund
