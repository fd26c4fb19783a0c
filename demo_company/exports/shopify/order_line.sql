select
    number(order_id) as order_id,
    line_number(order_id, line_id) as id,
    number(product_id) as product_id,
    pack(product_id, unit_cost) as variant_id,
    'Product ' || number(product_id) as name,
    'Product ' || number(product_id) as title,
    'demo' as vendor,
    unit_price as price,
    unpadded(quantity) as quantity,
    product_id as sku,
    'FALSE' as gift_card,
    'TRUE' as requires_shipping,
    'TRUE' as taxable,
    line_id as index,
    discount_amount as total_discount,
    net_amount as pre_tax_price,
    synced() as _fivetran_synced
from order_lines
order by order_id, id
