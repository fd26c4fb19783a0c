select
    pack(product_id, unit_cost) as id,
    'TRUE' as requires_shipping,
    product_id as sku,
    'TRUE' as tracked,
    unit_cost as unit_cost_amount,
    'FALSE' as _fivetran_deleted,
    synced() as _fivetran_synced
from order_lines
where product_id is not null
group by product_id, unit_cost
order by id
