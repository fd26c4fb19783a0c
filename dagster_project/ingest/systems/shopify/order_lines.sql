-- One row a line. Discounts are those allocated to it, else its own; the tax that a price includes is taken out. A line waits for its
-- order; a taxed line is quarantined while no line of its order has a tax line. Goods go by their SKU, the name other systems know;
-- their cost is what the item costs now. Gift cards, tips and deposits are no sale: what is bought with them later is.
with taxes as (
    select order_line_id, sum(try_cast(price as decimal(18, 3))) as amount from tax_line group by order_line_id
),

-- Orders whose tax lines have come: a line of theirs without one bears no tax.
taxed_orders as (
    select order_line.order_id from tax_line inner join order_line on tax_line.order_line_id = order_line.id group by order_line.order_id
),

discounts as (
    select order_line_id, sum(try_cast(amount as decimal(18, 3))) as amount from discount_allocation group by order_line_id
),

-- Tips are lines without product, variant and SKU that are called so. In an order without one it is one line as high as the order's tip
-- that is neither taxed nor shipped: the title may be the shop's own word.
nameless as (
    select
        order_line.id,
        order_line.order_id,
        regexp_matches(lower(coalesce(order_line.title, order_line.name, '')), '^(tips?|gratuity|trinkgeld|pourboire|propina|mancia|gorjeta|fooi|dricks|drikkepenge|napiwek|チップ|小费)([ :(–-]*[0-9.,]* ?%?\)?|[:–-] .*)$') as is_called_tip,
        coalesce(
            lower(order_line.taxable) = 'false' and lower(order_line.requires_shipping) = 'false'
            and try_cast(order_line.price as decimal(18, 3)) * try_cast(order_line.quantity as integer) = nullif(try_cast(orders.total_tip_received as decimal(18, 3)), 0),
            false
        ) as is_like_tip
    from order_line
    left join "order" as orders on order_line.order_id = orders.id
    where coalesce(order_line.product_id, order_line.variant_id, order_line.sku) is null
),

tips as (
    select id
    from nameless
    qualify
        is_called_tip
        or (
            is_like_tip and not bool_or(is_called_tip) over (partition by order_id)
            and row_number() over (partition by order_id, is_like_tip order by id desc) = 1
        )
),

lines as (
    select
        source.*,
        orders.id as known_order_id,
        orders.currency,
        coalesce(lower(orders.taxes_included) = 'true' and try_cast(orders.total_tax as decimal(18, 3)) <> 0, false) as includes_tax,
        try_cast(source.quantity as decimal(18, 3)) as units,
        try_cast(source.price as decimal(18, 4)) as unit_amount,
        coalesce(discounts.amount, try_cast(source.total_discount as decimal(18, 3)), 0)::decimal(18, 3) as discount,
        case
            when taxes.amount is not null then taxes.amount
            when lower(source.taxable) = 'false' or taxed_orders.order_id is not null then 0
        end::decimal(18, 3) as tax,
        case
            when lower(source.gift_card) = 'true' then 'gift card, which is a sale when it is spent'
            when tips.id is not null then 'tip, which is no sale'
            when coalesce(source.product_id, source.variant_id, source.sku) is null and regexp_matches(lower(coalesce(source.title, source.name, '')), '^(deposit|anzahlung|kaution|pfand|acompte|arrhes|consigne|anticipo|dep[óo]sito|caparra|cauzione|borg|statiegeld)([ :(–-]*[0-9.,]* ?%?\)?| (for|on|of|für|auf|pour|sur|de|per|para|voor|op) .*)$') then 'deposit, which is no sale'
        end as left_out
    from source
    left join "order" as orders on source.order_id = orders.id
    left join taxes on source.id = taxes.order_line_id
    left join taxed_orders on source.order_id = taxed_orders.order_id
    left join discounts on source.id = discounts.order_line_id
    left join tips on source.id = tips.id
),

-- The price without the tax in it, rounded to four decimals in whole numbers.
untaxed as (
    select
        *,
        case when includes_tax then tax else 0 end::decimal(18, 3) as included_tax,
        ((units * unit_amount - tax) * 10000)::hugeint as ten_thousandths,
        units::hugeint as pieces
    from lines
),

priced as (
    select
        *,
        case
            when not includes_tax or pieces = 0 then unit_amount
            else (
                sign(ten_thousandths) * sign(pieces)
                * ((2 * abs(ten_thousandths) + abs(pieces)) // (2 * abs(pieces)))
            )::decimal(22, 0) * 0.0001
        end::decimal(18, 4) as unit_price
    from untaxed
),

netted as (
    select *, (units * unit_amount - discount - included_tax)::decimal(18, 3) as net_amount from priced
)

select
    netted.record_number,
    netted.known_order_id as order_id,
    netted.id as line_id,
    coalesce(netted.sku, netted.product_id) as product_id,
    product.product_type as product_family,
    'product' as line_kind,
    netted.quantity,
    netted.unit_price,
    (netted.units * netted.unit_price - netted.net_amount)::decimal(18, 3) as discount_amount,
    netted.tax as tax_amount,
    netted.net_amount,
    case when coalesce(item.unit_cost_currency_code, netted.currency) = netted.currency then item.unit_cost_amount end as unit_cost,
    netted.left_out
from netted
left join product on netted.product_id = product.id
left join product_variant as variant on netted.variant_id = variant.id
left join inventory_item as item on variant.inventory_item_id = item.id
