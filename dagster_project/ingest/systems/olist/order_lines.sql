-- One row an item; the source writes one row per piece, so the quantity is 1. Freight is carried next to the price.
select
    record_number,
    order_id,
    order_item_id as line_id,
    product_id,
    'product' as line_kind,
    '1' as quantity,
    price as unit_price,
    freight_value as shipping_amount,
    price as net_amount
from source
