select
    number(order_id) as id,
    number(order_id) as order_id,
    synced() as _fivetran_synced,
    'Standard' as code,
    shipping_amount as discounted_price,
    shipping_amount as price,
    'shopify' as source,
    'Standard' as title
from orders
where shipping_amount::decimal(18, 2) <> 0
order by id
