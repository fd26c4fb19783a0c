-- One row a credit note that gave nothing back through a refund of its own: it lowers what the invoice earned.
with notes as (
    select
        source.*,
        invoice.id as order_id,
        case
            when lower(source.currency) in ('bif', 'clp', 'djf', 'gnf', 'jpy', 'kmf', 'krw', 'mga', 'pyg', 'rwf', 'vnd', 'vuv', 'xaf', 'xof', 'xpf') then 1
            when lower(source.currency) in ('bhd', 'jod', 'kwd', 'omr', 'tnd') then 0.001
            else 0.01
        end as unit,
        try_cast(source.subtotal as decimal(18, 0)) as net,
        try_cast(source.total as decimal(18, 0)) as total_minor
    from source
    left join invoice on source.invoice_id = invoice.id
)

select
    record_number,
    id as refund_id,
    order_id,
    created as refunded_at,
    net * unit as refund_amount,
    (total_minor - net) * unit as tax_amount,
    upper(currency) as currency_code,
    case reason when 'fraudulent' then 'fraud' when 'product_unsatisfactory' then 'not_as_described' else 'other' end as refund_reason,
    case
        when refund_id is not null then 'counted by its refund'
        when status = 'void' then 'void credit note'
        when lower(livemode) = 'false' then 'test credit note'
    end as left_out
from notes
