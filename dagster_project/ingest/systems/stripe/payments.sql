-- One row a charge that took money, for its invoice, for the order that its metadata names (order_id), else for itself.
with charges as (
    select
        *,
        case
            when lower(currency) in ('bif', 'clp', 'djf', 'gnf', 'jpy', 'kmf', 'krw', 'mga', 'pyg', 'rwf', 'vnd', 'vuv', 'xaf', 'xof', 'xpf') then 1
            when lower(currency) in ('bhd', 'jod', 'kwd', 'omr', 'tnd') then 0.001
            else 0.01
        end as unit
    from source
)

select
    record_number,
    id as payment_id,
    coalesce(charges.invoice_id, case when json_valid(charges.metadata) then nullif(charges.metadata ->> '$.order_id', '') end, charges.id) as order_id,
    created as paid_at,
    try_cast(coalesce(amount_captured, amount) as decimal(18, 0)) * unit as payment_amount,
    upper(currency) as currency_code,
    case when card_id is not null then 'card' when bank_account_id is not null then 'bank' end as payment_method,
    case
        when status <> 'succeeded' then 'charge ' || status
        when lower(captured) = 'false' then 'authorised, not captured'
        when lower(livemode) = 'false' then 'test charge'
    end as left_out
from charges
