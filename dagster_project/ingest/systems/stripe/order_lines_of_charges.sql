-- The one line of a charge that is a sale of its own.
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
    '1' as line_id,
    '1' as quantity,
    net_amount as unit_price,
    net_amount
from charges
where
    id is not null
    and invoice_id is null
    and case when json_valid(metadata) then nullif(metadata ->> '$.order_id', '') end is null
    and status = 'succeeded'
    and lower(captured) = 'true'
