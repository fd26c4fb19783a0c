-- One row a refund; its tax is the share that tax has in the invoice. One that failed, or is not through yet, gave nothing back, and neither did
-- one that releases what was authorised and never captured: all of a charge, or the part of it beyond what was captured.
with -- Which order a charge paid (the same text in every SELECT that needs it). Until API version 2025-03-31 the charge names its invoice,
-- since then invoice_payment does, or the payment intent of the invoice; another system's order is named by the metadata key order_id.
by_intent as (
    select payment_intent_id, min(invoice_id) as invoice_id
    from (
        select payment_intent_id, invoice_id from invoice_payment
        union all
        select payment_intent_id, id from invoice
    ) as said
    where payment_intent_id is not null
    group by payment_intent_id
),

by_charge as (
    select charge_id, min(invoice_id) as invoice_id
    from (
        select charge_id, invoice_id from invoice_payment
        union all
        select charge_id, id from invoice
    ) as said
    where charge_id is not null
    group by charge_id
),

named as (
    select
        charge.id,
        charge.customer_id,
        charge.currency,
        charge.amount,
        charge.created,
        charge.status,
        charge.payment_intent_id,
        coalesce(charge.invoice_id, by_charge.invoice_id, by_intent.invoice_id) as invoice_id,
        case when json_valid(charge.metadata) then nullif(charge.metadata ->> '$.order_id', '') end as other_order_id
    from charge
    left join by_charge on charge.id = by_charge.charge_id
    left join by_intent on charge.payment_intent_id = by_intent.payment_intent_id
),

-- Where nothing says which charge paid a paid invoice, the charges of the same customer, currency and amount did, the first of them the first.
unnamed_charges as (
    select id, customer_id, currency, amount, row_number() over (partition by customer_id, currency, amount order by created, id) as place
    from named
    where invoice_id is null and other_order_id is null and payment_intent_id is not null and status = 'succeeded'
),

unnamed_invoices as (
    select
        invoice.id,
        invoice.customer_id,
        invoice.currency,
        coalesce(invoice.amount_paid, invoice.total) as amount,
        row_number() over (
            partition by invoice.customer_id, invoice.currency, coalesce(invoice.amount_paid, invoice.total)
            order by coalesce(invoice.created, invoice.period_end), invoice.id
        ) as place
    from invoice
    left join (select invoice_id from named where invoice_id is not null group by invoice_id) as paid on invoice.id = paid.invoice_id
    left join (select invoice_id from invoice_payment group by invoice_id) as recorded on invoice.id = recorded.invoice_id
    where invoice.status = 'paid' and paid.invoice_id is null and recorded.invoice_id is null
),

links as (
    select
        named.id,
        coalesce(named.invoice_id, unnamed_invoices.id) as invoice_id,
        coalesce(named.invoice_id, named.other_order_id, unnamed_invoices.id) as order_id
    from named
    left join unnamed_charges on named.id = unnamed_charges.id
    left join unnamed_invoices
        on unnamed_charges.customer_id = unnamed_invoices.customer_id and unnamed_charges.currency = unnamed_invoices.currency
        and unnamed_charges.amount = unnamed_invoices.amount and unnamed_charges.place = unnamed_invoices.place
),

invoices as (
    select
        invoice.id,
        try_cast(invoice.total as hugeint) as total,
        coalesce(
            try_cast(invoice.total as hugeint) - try_cast(invoice.total_excluding_tax as hugeint),
            case
                when invoice.total_taxes like '[%' and json_valid(invoice.total_taxes)
                    then coalesce(list_sum(try_cast(json_extract(invoice.total_taxes, '$[*].amount') as hugeint[])), 0)
                else try_cast(invoice.total_taxes as hugeint)
            end,
            try_cast(invoice.tax as hugeint),
            0
        ) as tax
    from invoice
),

parts as (
    select
        source.*,
        charge.livemode,
        charge.status <> 'succeeded' or lower(charge.captured) = 'false' as is_never_taken,
        source.balance_transaction_id is null
        and try_cast(source.amount as hugeint) = try_cast(charge.amount as hugeint) - try_cast(charge.amount_captured as hugeint) as is_like_release,
        coalesce(links.order_id, charge.id) as order_id,
        case
            when lower(source.currency) in ('bif', 'clp', 'djf', 'gnf', 'jpy', 'kmf', 'krw', 'mga', 'pyg', 'rwf', 'vnd', 'vuv', 'xaf', 'xof', 'xpf') then 1
            when lower(source.currency) in ('bhd', 'jod', 'kwd', 'omr', 'tnd') then 0.001
            else 0.01
        end as unit,
        try_cast(source.amount as hugeint) as minor,
        case
            when invoices.tax <> 0 and invoices.total <> 0
                then (2 * try_cast(source.amount as hugeint) * invoices.tax + invoices.total) // (2 * invoices.total)
            else 0
        end as tax
    from source
    left join charge on source.charge_id = charge.id
    left join links on source.charge_id = links.id
    left join invoices on links.invoice_id = invoices.id
),

-- A capture of a part releases the rest once, by a refund that moves no money of the balance; a later refund of the same amount is one.
numbered as (
    select *, row_number() over (partition by charge_id order by coalesce(is_like_release, false) desc, created, id) as place from parts
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
    case
        when status <> 'succeeded' then 'refund ' || status
        when lower(livemode) = 'false' then 'refund of a test charge'
        when is_never_taken or (is_like_release and place = 1) then 'release of money that was never taken'
    end as left_out
from numbered
