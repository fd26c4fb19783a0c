select
    0 as index,
    line_number(order_id, line_id) as order_line_id,
    synced() as _fivetran_synced,
    tax_amount as price,
    'VAT' as title
from order_lines
where tax_amount is not null
order by order_line_id
