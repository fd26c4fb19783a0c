{{ config(materialized='monthly') }}

-- Lines know their month by their order alone, so all of them are looked at: no read names the months.
{{ after_affected_months() -}}
with order_lines as (
    select
        order_lines.*,
        {{ key_of('order_lines', 'order_id') }} || '|' || order_lines.line_id as order_line_key,
        {{ of_named('orders', 'order_key') }} as order_key,
        {% for column in ['account_id', 'order_kind', 'transaction_currency_code', 'is_test', 'is_accepted_offer', 'order_date', 'period_month', 'ordered_at'] -%}
        {{ of_named('orders', column) }} as {{ column }},
        {% endfor -%}
        {{ of_named('orders', 'is_counted') }} as is_order_counted,
        {{ of_named('orders', 'order_id') }} is null as is_orphan,
        {{ rounded_money('cast(order_lines.unit_cost as decimal(19, 4)) * order_lines.quantity', currency_decimals(of_named('orders', 'transaction_currency_code'))) }} as transaction_cost_amount
    from {{ ref('stg_order_lines') }} as order_lines
    {{ left_join_named(ref('fct_order'), 'orders', 'order_key', 'order_lines', 'order_id') }}
),

valued as (
    select
        lines.order_line_key,
        lines.order_key,
        lines.order_id,
        lines.line_id,
        coalesce(lines.account_id, 'ACCOUNT_UNKNOWN') as account_id,
        lines.order_kind,
        lines.line_kind,
        lines.product_id,
        lines.product_family,
        lines.transaction_currency_code,
        watermark.reporting_currency_code as currency_code,
        coalesce(lines.order_kind = 'sale' and lines.quantity > 0 and lines.unit_price > 0, false) as is_gross_sale,
        coalesce(lines.is_test, false) as is_test,
        not lines.is_deleted and coalesce(lines.is_order_counted, false) as is_counted,
        coalesce(lines.is_accepted_offer, false) as is_accepted_offer,
        coalesce(lines.transaction_currency_code <> watermark.reporting_currency_code and {{ in_reporting_currency('lines.net_amount', 'lines.transaction_currency_code') }} is null, false) as is_fx_missing,
        lines.is_orphan,
        lines.quantity,
        lines.unit_price,
        lines.net_amount as transaction_net_amount,
        {{ in_reporting_currency('lines.net_amount', 'lines.transaction_currency_code') }} as net_amount,
        {{ in_reporting_currency('lines.shipping_amount', 'lines.transaction_currency_code') }} as shipping_amount,
        {{ in_reporting_currency('lines.transaction_cost_amount', 'lines.transaction_currency_code') }} as cost_amount,
        lines.order_date,
        lines.period_month,
        lines.ordered_at
    from order_lines as lines
    cross join {{ ref('int_core__watermark') }} as watermark
    left join {{ ref('int_core__fx_average') }} as fx
        on lines.transaction_currency_code = fx.currency_code and lines.period_month = fx.period_month
),

fct_order_line_net as (
    select
        order_line_key, order_key, order_id, line_id, account_id, order_kind, line_kind, product_id, product_family, transaction_currency_code, currency_code,
        is_gross_sale, is_test, is_counted, is_accepted_offer, is_fx_missing, is_orphan,
        quantity, unit_price, transaction_net_amount, net_amount, shipping_amount, cost_amount,
        cast(net_amount - cost_amount as decimal(18, 3)) as margin_amount,
        order_date, period_month, ordered_at
    from valued
)

select * from fct_order_line_net
