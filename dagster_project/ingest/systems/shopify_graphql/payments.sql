-- One row a payment. Refunds are counted by their lines; authorisations, voids and failures move no money.
select
    record_number,
    id as payment_id,
    order_id,
    coalesce(processed_at, created_at) as paid_at,
    amount_set_shop_amount as payment_amount,
    amount_set_shop_currency_code as currency_code,
    gateway as payment_method,
    case
        when lower(kind) = 'refund' then 'refund, counted by its refunded lines'
        when lower(test) = 'true' then 'test transaction'
        when lower(kind) in ('authorization', 'void', 'emv_authorization', 'suggested_refund', 'change') then 'moves no money'
        when lower(status) <> 'success' then 'did not succeed'
        when replace(lower(gateway), ' ', '_') in ('gift_card', 'shopify_gift_card', 'store_credit', 'shopify_store_credit')
            then 'paid with a gift card or store credit, no money'
    end as left_out
from source
