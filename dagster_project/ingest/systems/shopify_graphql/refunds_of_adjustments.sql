-- One row an adjustment that gave back more than the lines come to (a negative amount).
select
    source.record_number,
    'adjustment-' || source.id as refund_id,
    orders.id as order_id,
    refund.created_at as refunded_at,
    (-try_cast(source.amount_set_shop_amount as decimal(18, 3)))::decimal(18, 3) as refund_amount,
    (-try_cast(source.tax_amount_set_shop_amount as decimal(18, 3)))::decimal(18, 3) as tax_amount,
    orders.currency_code,
    case when try_cast(source.amount_set_shop_amount as decimal(18, 3)) >= 0 then 'less given back than calculated, borne by the refunded lines' end as left_out
from source
left join refund on source.refund_id = refund.id
left join "order" as orders on refund.order_id = orders.id
