{{ config(severity='warn') }}
-- Warns: more money was refunded than was sold, so that net revenue and margin of the month are too low; or more goods came back than were delivered,
-- so that its margin is too high by their cost, where they went back on the shelf. Correct the refund, or deliver the missing order or line.
select 'money' as excess_kind, order_id, refund_id, order_amount, refund_amount from ({{ refund_excess() }}) as excess
union all
select 'goods' as excess_kind, returned.order_id, returned.refund_id, lines.quantity, returned.returned_quantity
from (
    select order_key, line_id, min(order_id) as order_id, min(refund_id) as refund_id, sum(returned_quantity) as returned_quantity
    from {{ ref('fct_refund') }}
    where is_counted and line_id is not null and order_key in (select order_key from {{ ref('fct_refund') }} where {{ affected() }})
    group by order_key, line_id
) as returned
inner join {{ ref('fct_order_line_net') }} as lines on returned.order_key = lines.order_key and returned.line_id = lines.line_id
where returned.returned_quantity > abs(lines.quantity)
