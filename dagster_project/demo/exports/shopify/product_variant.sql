select
    number(product_id) as product_id,
    10000 + number(product_id) as id,
    20000 + number(product_id) as inventory_item_id,
    'TRUE' as available_for_sale,
    max(unit_price) as price,
    product_id as sku,
    'TRUE' as taxable,
    'Default Title' as title,
    synced() as _fivetran_synced
from order_lines
where product_id is not null
group by all
order by id
