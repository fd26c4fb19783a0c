select
    20000 + number(product_id) as id,
    'TRUE' as requires_shipping,
    product_id as sku,
    'TRUE' as tracked,
    max(unit_cost::decimal(18, 4)) as unit_cost_amount,
    'FALSE' as _fivetran_deleted,
    synced() as _fivetran_synced
from order_lines
where product_id is not null
group by product_id
order by id
