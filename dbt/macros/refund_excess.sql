{# Orders whose refunds come to more than was sold, in the currency of the order: order_key, order_id, refund_id (the first), order_amount, refund_amount,
   excess_amount. Only orders that this run's months refund. What was sold is the larger of the order and its lines, with shipping; a refund in
   another currency is compared in the reporting currency, with a fifth of room for the rates of two months. #}
{% macro refund_excess() -%}
with refunds as (
    select
        order_key, transaction_currency_code, min(order_id) as order_id, min(refund_id) as refund_id,
        sum(transaction_refund_amount) as transaction_refund_amount, sum(refund_amount) as refund_amount
    from {{ ref('fct_refund') }}
    where
        is_counted and not is_orphan
        and order_key in (select order_key from {{ ref('fct_refund') }} where {{ affected() }})
    group by order_key, transaction_currency_code
),

lines as (
    select
        order_key, sum(transaction_net_amount) as transaction_net_amount, sum(net_amount) as net_amount
    from {{ ref('fct_order_line_net') }}
    where order_key in (select order_key from refunds)
    group by order_key
),

orders as (
    select {{ key_of('orders', 'order_id') }} as order_key, orders.currency_code, orders.net_amount, coalesce(orders.shipping_amount, 0) as shipping_amount
    from {{ ref('stg_orders') }} as orders
    where {{ key_of('orders', 'order_id') }} in (select order_key from refunds)
),

compared as (
    select
        refunds.order_key,
        refunds.order_id,
        refunds.refund_id,
        orders.currency_code = refunds.transaction_currency_code as is_same_currency,
        case
            when orders.currency_code = refunds.transaction_currency_code
                then greatest(coalesce(orders.net_amount, lines.transaction_net_amount), coalesce(lines.transaction_net_amount, orders.net_amount)) + orders.shipping_amount
            else lines.net_amount + cast(lines.net_amount * 0.2 as decimal(18, 3))
        end as order_amount,
        case when orders.currency_code = refunds.transaction_currency_code then refunds.transaction_refund_amount else refunds.refund_amount end as refund_amount
    from refunds
    inner join orders on refunds.order_key = orders.order_key
    left join lines on refunds.order_key = lines.order_key
)

select order_key, order_id, refund_id, order_amount, refund_amount, refund_amount - order_amount as excess_amount
from compared
where refund_amount > order_amount
{%- endmacro %}
