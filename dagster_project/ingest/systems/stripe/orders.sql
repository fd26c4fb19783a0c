-- One row an invoice. Net is its total without tax, the discount what its lines come to beyond it. A draft is no order yet.
with invoices as (
    select
        *,
        case
            when lower(currency) in ('bif', 'clp', 'djf', 'gnf', 'jpy', 'kmf', 'krw', 'mga', 'pyg', 'rwf', 'vnd', 'vuv', 'xaf', 'xof', 'xpf') then 1
            when lower(currency) in ('bhd', 'jod', 'kwd', 'omr', 'tnd') then 0.001
            else 0.01
        end as unit,
        try_cast(subtotal as decimal(18, 0)) as lines_total,
        try_cast(total as decimal(18, 0)) - coalesce(try_cast(tax as decimal(18, 0)), 0) as net
    from source
)

select
    record_number,
    id as order_id,
    customer_id as contact_id,
    case when net < 0 then 'credit_memo' else 'sale' end as order_kind,
    coalesce(created, period_end) as ordered_at,
    'stripe' as sales_channel,
    upper(currency) as currency_code,
    lines_total * unit as gross_amount,
    (lines_total - net) * unit as discount_amount,
    try_cast(tax as decimal(18, 0)) * unit as tax_amount,
    net * unit as net_amount,
    case when status = 'paid' then 'paid' when status in ('void', 'uncollectible') then 'voided' else 'pending' end as financial_state,
    status as order_state,
    lower(livemode) = 'false' as is_test,
    case when json_valid(metadata) then metadata ->> '$.offer_id' end as offer_id,
    case when json_valid(metadata) then metadata ->> '$.interaction_id' end as interaction_id,
    is_deleted,
    case when status = 'draft' then 'draft invoice' end as left_out
from invoices
