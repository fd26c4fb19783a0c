-- One row a charge without an invoice and without an order of another system: a sale of its own, tax unknown.
with charges as (
    select
        *,
        try_cast(coalesce(amount_captured, amount) as decimal(18, 0))
        * case
            when lower(currency) in ('bif', 'clp', 'djf', 'gnf', 'jpy', 'kmf', 'krw', 'mga', 'pyg', 'rwf', 'vnd', 'vuv', 'xaf', 'xof', 'xpf') then 1
            when lower(currency) in ('bhd', 'jod', 'kwd', 'omr', 'tnd') then 0.001
            else 0.01
        end as net_amount
    from source
)

select
    record_number,
    id as order_id,
    customer_id as contact_id,
    created as ordered_at,
    'stripe' as sales_channel,
    upper(currency) as currency_code,
    net_amount as gross_amount,
    net_amount,
    'paid' as financial_state,
    lower(livemode) = 'false' as is_test
from charges
where
    id is not null
    and invoice_id is null
    and case when json_valid(metadata) then nullif(metadata ->> '$.order_id', '') end is null
    and status = 'succeeded'
    and lower(captured) = 'true'
