-- One row a refund; its tax is the share that tax has in the invoice. A refund whose charge never came has no order_id and is
-- quarantined. One that failed, or is not through yet, gave nothing back.
with parts as (
    select
        source.*,
        charge.livemode,
        coalesce(charge.invoice_id, case when json_valid(charge.metadata) then nullif(charge.metadata ->> '$.order_id', '') end, charge.id) as order_id,
        case
            when lower(source.currency) in ('bif', 'clp', 'djf', 'gnf', 'jpy', 'kmf', 'krw', 'mga', 'pyg', 'rwf', 'vnd', 'vuv', 'xaf', 'xof', 'xpf') then 1
            when lower(source.currency) in ('bhd', 'jod', 'kwd', 'omr', 'tnd') then 0.001
            else 0.01
        end as unit,
        try_cast(source.amount as hugeint) as minor,
        case
            when try_cast(invoice.tax as hugeint) <> 0 and try_cast(invoice.total as hugeint) <> 0
                then (2 * try_cast(source.amount as hugeint) * try_cast(invoice.tax as hugeint) + try_cast(invoice.total as hugeint))
                    // (2 * try_cast(invoice.total as hugeint))
            else 0
        end as tax
    from source
    left join charge on source.charge_id = charge.id
    left join invoice on charge.invoice_id = invoice.id
)

select
    record_number,
    id as refund_id,
    order_id,
    created as refunded_at,
    (minor - tax) * unit as refund_amount,
    tax * unit as tax_amount,
    upper(currency) as currency_code,
    case reason when 'fraudulent' then 'fraud' else 'other' end as refund_reason,
    case when status <> 'succeeded' then 'refund ' || status when lower(livemode) = 'false' then 'refund of a test charge' end as left_out
from parts
