select name, number(order_id) as order_id, synced() as _fivetran_synced, value
from (
    select order_id, 'contact_id' as name, contact_id as value from orders
    union all
    select order_id, 'offer_id', offer_id from orders
    union all
    select order_id, 'interaction_id', interaction_id from orders
)
where value is not null
order by order_id, name
