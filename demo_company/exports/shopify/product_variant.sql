-- A variant is a size of pack: an account that is worth less buys a smaller one, which costs less.
select
    number(product_id) as product_id,
    pack(product_id, unit_cost) as id,
    pack(product_id, unit_cost) as inventory_item_id,
    'TRUE' as available_for_sale,
    max(unit_price) as price,
    product_id as sku,
    'TRUE' as taxable,
    'Pack at ' || unit_cost as title,
    synced() as _fivetran_synced
from order_lines
where product_id is not null
group by all
order by id
