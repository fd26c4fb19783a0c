-- One row an adjustment that gave back more than the lines come to (a negative amount). Shipping that was given back is excluded:
-- net revenue never held it.
select
    source.record_number,
    'adjustment-' || source.id as refund_id,
    orders.id as order_id,
    coalesce(refund.processed_at, refund.created_at) as refunded_at,
    refund.processed_at,
    (-try_cast(source.amount as decimal(18, 3)))::decimal(18, 3) as refund_amount,
    (-try_cast(source.tax_amount as decimal(18, 3)))::decimal(18, 3) as tax_amount,
    orders.currency as currency_code,
    case
        when source.kind = 'shipping_refund' then 'shipping given back, which net revenue never held'
        when try_cast(source.amount as decimal(18, 3)) >= 0 then 'less given back than calculated, borne by the refunded lines'
    end as left_out
from source
left join refund on source.refund_id = refund.id
left join "order" as orders on source.order_id = orders.id
