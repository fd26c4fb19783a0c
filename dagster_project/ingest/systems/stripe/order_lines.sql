-- One row a line of an invoice. What the invoice's net is below (or above) its lines, discounts and included tax, is spread over them
-- in the order of their ids, each share rounded so that the lines that are known by now add up to the invoice. A line waits for its invoice.
with lines as (
    select
        source.*,
        invoice.id as order_id,
        coalesce(source.pricing_price_details_product, price.product_id, plan.product_id) as product_id,
        case
            when lower(source.currency) in ('bif', 'clp', 'djf', 'gnf', 'jpy', 'kmf', 'krw', 'mga', 'pyg', 'rwf', 'vnd', 'vuv', 'xaf', 'xof', 'xpf') then 1
            when lower(source.currency) in ('bhd', 'jod', 'kwd', 'omr', 'tnd') then 0.001
            else 0.01
        end as unit,
        try_cast(source.amount as hugeint) as minor,
        invoice.status,
        try_cast(invoice.total as hugeint) - coalesce(
            try_cast(invoice.total as hugeint) - try_cast(invoice.total_excluding_tax as hugeint),
            case
                when invoice.total_taxes like '[%' and json_valid(invoice.total_taxes)
                    then coalesce(list_sum(try_cast(json_extract(invoice.total_taxes, '$[*].amount') as hugeint[])), 0)
                else try_cast(invoice.total_taxes as hugeint)
            end,
            try_cast(invoice.tax as hugeint),
            0
        ) as invoice_net
    from source
    left join invoice on source.invoice_id = invoice.id
    left join plan on source.plan_id = plan.id
    left join price on coalesce(source.price_id, source.pricing_price_details_price) = price.id
),

running as (
    select
        *,
        sum(minor) over (partition by invoice_id)::hugeint as lines_total,
        sum(minor) over (partition by invoice_id order by id, record_number rows unbounded preceding)::hugeint as so_far
    from lines
),

shared as (
    select
        *,
        case
            when lines_total = 0 or invoice_net is null then minor
            else (so_far * invoice_net) // lines_total - ((so_far - minor) * invoice_net) // lines_total
        end as net
    from running
),

-- Prices of a unit come in tiers and parts of a month: the unit price is the amount over the quantity, rounded to four decimals
-- in whole numbers.
parts as (
    select
        *,
        case when try_cast(quantity as bigint) > 0 then try_cast(quantity as hugeint) else 1 end as units,
        (minor * 10000 * unit)::hugeint as ten_thousandths
    from shared
),

priced as (
    select
        *,
        ((sign(ten_thousandths) * ((2 * abs(ten_thousandths) + units) // (2 * units)))::decimal(22, 0) * 0.0001)::decimal(18, 4) as unit_price
    from parts
)

select
    record_number,
    order_id,
    id as line_id,
    product_id,
    units as quantity,
    unit_price,
    (units * unit_price)::decimal(18, 3) - (net * unit)::decimal(18, 3) as discount_amount,
    net * unit as net_amount,
    case when status = 'draft' then 'line of a draft invoice' end as left_out
from priced
