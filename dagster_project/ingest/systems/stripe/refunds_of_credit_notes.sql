-- One row a credit note: it lowers what the invoice earned by all that was given back for it otherwise than by refunds of the charge
-- (to the customer's balance, out of band, or off an invoice that is not paid yet). What its refunds gave back is counted by them.
with notes as (
    select
        source.*,
        invoice.id as order_id,
        case
            when lower(source.currency) in ('bif', 'clp', 'djf', 'gnf', 'jpy', 'kmf', 'krw', 'mga', 'pyg', 'rwf', 'vnd', 'vuv', 'xaf', 'xof', 'xpf') then 1
            when lower(source.currency) in ('bhd', 'jod', 'kwd', 'omr', 'tnd') then 0.001
            else 0.01
        end as unit,
        try_cast(source.total as hugeint) as total_minor,
        coalesce(
            try_cast(source.total as hugeint) - try_cast(source.total_excluding_tax as hugeint),
            case
                when source.total_taxes like '[%' and json_valid(source.total_taxes)
                    then coalesce(list_sum(try_cast(json_extract(source.total_taxes, '$[*].amount') as hugeint[])), 0)
                else try_cast(source.total_taxes as hugeint)
            end,
            try_cast(source.total as hugeint) - try_cast(source.subtotal as hugeint) + coalesce(try_cast(source.discount_amount as hugeint), 0),
            0
        ) as tax_minor,
        greatest(0, least(try_cast(source.total as hugeint), coalesce(
            case
                when json_valid(source.refunds)
                    then list_sum(list_transform(
                        json_extract(source.refunds, '$[*]'),
                        part -> case
                            when coalesce(json_extract_string(part, '$.type'), 'refund') = 'refund'
                                then try_cast(json_extract_string(part, '$.amount_refunded') as hugeint)
                        end
                    ))
            end,
            try_cast(refund.amount as hugeint),
            0
        ))) as refunded_minor
    from source
    left join invoice on source.invoice_id = invoice.id
    left join refund on source.refund_id = refund.id
),

rests as (
    select
        *,
        total_minor - refunded_minor as rest,
        case
            when total_minor = 0 then 0
            else (2 * (total_minor - refunded_minor) * tax_minor + total_minor) // (2 * total_minor)
        end as rest_tax
    from notes
)

select
    record_number,
    id as refund_id,
    order_id,
    created as refunded_at,
    (rest - rest_tax) * unit as refund_amount,
    rest_tax * unit as tax_amount,
    upper(currency) as currency_code,
    case reason when 'fraudulent' then 'fraud' when 'product_unsatisfactory' then 'not_as_described' else 'other' end as refund_reason,
    case
        when status = 'void' then 'void credit note'
        when lower(livemode) = 'false' then 'test credit note'
        when rest = 0 then 'counted by its refund'
    end as left_out
from rests
