select
    0 as index,
    number(order_id) as order_id,
    synced() as _fivetran_synced,
    order_kind as value
from orders
where order_kind <> 'sale'
order by order_id
