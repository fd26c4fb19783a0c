-- Breaks: the lines of one order differ from the order by more than the assumption document_difference_limit_amount. So much money in one
-- document is wrong in the source or in its mapping, and every figure of the month would carry it.
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

select orders.order_id, orders.currency_code, orders.net_amount, lines.lines_net_amount, lines.lines_net_amount - orders.net_amount as difference_amount
from orders
inner join lines on orders.order_key = lines.order_key
cross join {{ ref('int_core__watermark') }} as watermark
where abs(lines.lines_net_amount - orders.net_amount) > watermark.document_difference_limit_amount
