select
    number(refund_id) as id,
    number(refund_id) as refund_id,
    case is_restocked when 'true' then 'return' else 'no_restock' end as restock_type,
    unpadded(returned_quantity) as quantity,
    line_number(order_id, line_id) as order_line_id,
    synced() as _fivetran_synced,
    refund_amount as subtotal,
    tax_amount as total_tax
from refunds
order by id
