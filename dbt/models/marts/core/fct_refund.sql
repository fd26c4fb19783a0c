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
        {% for column in ['order_key', 'account_id', 'is_counted', 'is_accepted_offer', 'period_month', 'transaction_currency_code'] -%}
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

-- Cost comes back only with goods that went back on the shelf. It is in the currency of their order, as the cost of the sold line.
valued as (
    select
        refunds.*,
        coalesce(refunds.is_restocked, false) and coalesce(refunds.returned_quantity <> 0, true) as has_goods_back,
        {{ rounded_money('cast(order_lines.unit_cost as decimal(19, 4)) * refunds.returned_quantity', currency_decimals('refunds.order_transaction_currency_code')) }} as transaction_recovered_amount
    from of_orders as refunds
    left join order_lines on refunds.order_key = order_lines.order_key and refunds.line_id = order_lines.line_id
),

converted as (
    select
        valued.*,
        watermark.reporting_currency_code,
        period_day.period_month,
        {{ in_reporting_currency('valued.refund_amount', 'valued.currency_code') }} as reporting_refund_amount,
        case
            when not valued.has_goods_back then cast(0 as decimal(18, 3))
            else {{ in_reporting_currency('valued.transaction_recovered_amount', 'valued.order_transaction_currency_code', rates='order_fx') }}
        end as cost_recovered_amount
    from valued
    cross join {{ ref('int_core__watermark') }} as watermark
    inner join {{ ref('int_core__period_day') }} as period_day on valued.refund_date = period_day.day
    -- What comes back in the currency of the order takes back what the order brought, at the rate of the order: a full return leaves nothing.
    left join {{ ref('int_core__fx_average') }} as fx
        on
            valued.currency_code = fx.currency_code
            and case when valued.currency_code = valued.order_transaction_currency_code then valued.order_period_month else period_day.period_month end = fx.period_month
    left join {{ ref('int_core__fx_average') }} as order_fx
        on valued.order_transaction_currency_code = order_fx.currency_code and valued.order_period_month = order_fx.period_month
),

reasoned as (
    select
        converted.*,
        case
            when cost_recovered_amount is not null then null
            when transaction_recovered_amount is null then 'unit_cost_absent'
            else 'fx_missing'
        end as cost_recovered_null_reason
    from converted
),

fct_refund as (
    select
        refund_key,
        refund_id,
        order_key,
        order_id,
        line_id,
        coalesce(order_account_id, 'ACCOUNT_UNKNOWN') as account_id,
        refund_reason,
        currency_code as transaction_currency_code,
        reporting_currency_code as currency_code,
        is_chargeback,
        coalesce(is_restocked, false) as is_restocked,
        not is_deleted and coalesce(order_is_counted, true) as is_counted,
        coalesce(order_is_accepted_offer, false) as is_accepted_offer,
        reporting_refund_amount is null or coalesce(cost_recovered_null_reason = 'fx_missing', false) as is_fx_missing,
        is_orphan,
        returned_quantity,
        refund_amount as transaction_refund_amount,
        reporting_refund_amount as refund_amount,
        cost_recovered_amount,
        cost_recovered_null_reason,
        refund_date,
        period_month,
        refunded_at
    from reasoned
)

select * from fct_refund
