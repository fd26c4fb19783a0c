-- One row an invoice. Net is its total without tax, the discount what its lines come to beyond it. A draft is no order yet.
with invoices as (
    select
        source.*,
        case
            when lower(source.currency) in ('bif', 'clp', 'djf', 'gnf', 'jpy', 'kmf', 'krw', 'mga', 'pyg', 'rwf', 'vnd', 'vuv', 'xaf', 'xof', 'xpf') then 1
            when lower(source.currency) in ('bhd', 'jod', 'kwd', 'omr', 'tnd') then 0.001
            else 0.01
        end as unit,
        try_cast(coalesce(source.subtotal_excluding_tax, source.subtotal) as hugeint) as lines_total,
        try_cast(source.total as hugeint) as total_minor,
        coalesce(
            try_cast(source.total as hugeint) - try_cast(source.total_excluding_tax as hugeint),
            case
                when source.total_taxes like '[%' and json_valid(source.total_taxes)
                    then coalesce(list_sum(try_cast(json_extract(source.total_taxes, '$[*].amount') as hugeint[])), 0)
                else try_cast(source.total_taxes as hugeint)
            end,
            try_cast(source.tax as hugeint),
            0
        ) as tax_minor
    from source
)

select
    record_number,
    id as order_id,
    customer_id as contact_id,
    case when total_minor - tax_minor < 0 then 'credit_memo' else 'sale' end as order_kind,
    coalesce(created, period_end) as ordered_at,
    'stripe' as sales_channel,
    upper(currency) as currency_code,
    lines_total * unit as gross_amount,
    (lines_total - total_minor + tax_minor) * unit as discount_amount,
    tax_minor * unit as tax_amount,
    (total_minor - tax_minor) * unit as net_amount,
    case when status = 'paid' then 'paid' when status in ('void', 'uncollectible') then 'voided' else 'pending' end as financial_state,
    status as order_state,
    lower(livemode) = 'false' as is_test,
    case when json_valid(metadata) then metadata ->> '$.offer_id' end as offer_id,
    case when json_valid(metadata) then metadata ->> '$.interaction_id' end as interaction_id,
    case when status = 'draft' then 'draft invoice' end as left_out
from invoices
