select
    1000000000 + number(payment_id) as id,
    number(order_id) as order_id,
    null::bigint as refund_id,
    payment_amount::decimal(18, 2) as amount,
    plain(paid_at) as created_at,
    plain(paid_at) as processed_at,
    payment_method as gateway,
    currency_code as currency,
    'sale' as kind,
    'success' as status,
    'FALSE' as test,
    synced() as _fivetran_synced,
    '{"instalments": ' || instalment_count || '}' as receipt
from payments
union all
select
    2000000000 + number(refund_id),
    number(order_id),
    number(refund_id),
    refund_amount::decimal(18, 2) + tax_amount::decimal(18, 2),
    plain(refunded_at),
    plain(refunded_at),
    case is_chargeback when 'true' then 'chargeback' else 'manual' end,
    currency_code,
    'refund',
    'success',
    'FALSE',
    synced(),
    null
from refunds
order by created_at, id
