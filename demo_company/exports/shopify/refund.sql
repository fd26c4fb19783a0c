select
    number(refund_id) as id,
    plain(refunded_at) as created_at,
    plain(refunded_at) as processed_at,
    refund_reason as note,
    upper(is_restocked) as restock,
    synced() as _fivetran_synced,
    number(order_id) as order_id
from refunds
order by created_at, id
