{{ config(severity='warn') }}
-- Warns: the net amounts of an order's lines do not come to the net amount of the order, or an order with an amount has no line and sells nothing.
-- A line came twice or is missing, or the mapping reads one of both wrong. Only orders with a net amount can be compared.
with lines as (
    select order_key, sum(transaction_net_amount) as lines_net_amount
    from {{ ref('fct_order_line_net') }}
    where is_counted and {{ affected('period_month') }}
    group by order_key
),

orders as (
    select {{ key_of('orders', 'order_id') }} as order_key, orders.order_id, orders.currency_code, orders.net_amount
    from {{ ref('stg_orders') }} as orders
    where orders.net_amount is not null and orders.is_deleted is distinct from true
)

select orders.order_id, orders.currency_code, orders.net_amount, lines.lines_net_amount, coalesce(lines.lines_net_amount, 0) - orders.net_amount as difference_amount
from orders
inner join {{ ref('fct_order') }} as counted on orders.order_key = counted.order_key and counted.is_counted
inner join {{ ref('int_core__watermark') }} as watermark on watermark.has_order_lines
left join lines on orders.order_key = lines.order_key
where coalesce(lines.lines_net_amount, 0) <> orders.net_amount and {{ affected('counted.period_month') }}
