{{ config(materialized='incremental') }}

with order_lines as (
    select
        order_lines.*,
        cast(round(order_lines.unit_cost * order_lines.quantity, 2) as decimal(18, 2)) as transaction_cost_amount
    from {{ ref('stg_order_lines') }} as order_lines
),

valued as (
    select
        order_lines.order_id,
        order_lines.line_id,
        coalesce(orders.account_id, 'ACCOUNT_UNKNOWN') as account_id,
        orders.order_kind,
        order_lines.line_kind,
        order_lines.product_id,
        order_lines.product_family,
        orders.transaction_currency_code,
        watermark.reporting_currency_code as currency_code,
        coalesce(orders.order_kind = 'sale' and order_lines.quantity > 0 and order_lines.unit_price > 0, false) as is_gross_sale,
        coalesce(orders.is_test, false) as is_test,
        not order_lines.is_deleted and coalesce(orders.is_counted, false) as is_counted,
        coalesce(orders.is_accepted_offer, false) as is_accepted_offer,
        coalesce(orders.transaction_currency_code <> watermark.reporting_currency_code and fx.exchange_rate is null, false) as is_fx_missing,
        orders.order_id is null as is_orphan,
        order_lines.quantity,
        order_lines.unit_price,
        order_lines.net_amount as transaction_net_amount,
        {{ in_reporting_currency('order_lines.net_amount', 'orders.transaction_currency_code') }} as net_amount,
        {{ in_reporting_currency('order_lines.shipping_amount', 'orders.transaction_currency_code') }} as shipping_amount,
        {{ in_reporting_currency('order_lines.transaction_cost_amount', 'orders.transaction_currency_code') }} as cost_amount,
        orders.order_date,
        orders.period_month,
        orders.ordered_at
    from order_lines
    cross join {{ ref('int_core__watermark') }} as watermark
    left join {{ ref('fct_order') }} as orders on order_lines.order_id = orders.order_id
    left join {{ ref('int_core__fx_average') }} as fx
        on orders.transaction_currency_code = fx.currency_code and cast(date_trunc('month', orders.order_date) as date) = fx.rate_month
    where {{ in_touched_months('orders.period_month', nullable=true) }}
),

fct_order_line_net as (
    select
        order_id, line_id, account_id, order_kind, line_kind, product_id, product_family, transaction_currency_code, currency_code,
        is_gross_sale, is_test, is_counted, is_accepted_offer, is_fx_missing, is_orphan,
        quantity, unit_price, transaction_net_amount, net_amount, shipping_amount, cost_amount,
        cast(net_amount - cost_amount as decimal(18, 2)) as margin_amount,
        order_date, period_month, ordered_at
    from valued
)

select * from fct_order_line_net
