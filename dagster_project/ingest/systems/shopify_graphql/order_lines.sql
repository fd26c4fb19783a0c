-- One row a line. Discounts are those allocated to it, else its own; the tax that its total includes is taken out. A line whose
-- order waits for it; a taxed line is quarantined while no line of its order has a tax line. Goods go by their SKU, the name other
-- systems know; their cost is what the item costs now. Gift cards, tips and deposits are no sale: what is bought with them later is.
with tax_versions as (
    select order_line_id, index, price_set_shop_amount from tax_line
    union all
    select order_line_id, index, price_set_shop_amount from order_line_tax_line
),

-- An export may hold the tax lines under both names.
taxes as (
    select order_line_id, sum(price) as amount
    from (
        select order_line_id, index, max(try_cast(price_set_shop_amount as decimal(18, 3))) as price
        from tax_versions
        group by order_line_id, index
    ) as once
    group by order_line_id
),

-- Orders whose tax lines have come: a line of theirs without one bears no tax.
taxed_orders as (
    select order_line.order_id from taxes inner join order_line on taxes.order_line_id = order_line.id group by order_line.order_id
),

discounts as (
    select order_line_id, sum(try_cast(allocated_amount_set_shop_amount as decimal(18, 3))) as amount
    from discount_allocation
    group by order_line_id
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
            and try_cast(order_line.original_total_set_shop_amount as decimal(18, 3)) = nullif(try_cast(orders.total_tip_received_set_shop_amount as decimal(18, 3)), 0),
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
        orders.currency_code,
        try_cast(source.quantity as hugeint) as pieces,
        try_cast(source.original_total_set_shop_amount as decimal(18, 3)) as total,
        coalesce(discounts.amount, try_cast(source.total_discount_set_shop_amount as decimal(18, 3)), 0)::decimal(18, 3) as discount,
        taxes.amount as tax,
        case
            when coalesce(lower(orders.taxes_included), '') <> 'true' then 0
            when try_cast(orders.total_tax_set_shop_amount as decimal(18, 3)) = 0 then 0
            when taxes.amount is not null then taxes.amount
            when lower(source.taxable) = 'false' or taxed_orders.order_id is not null then 0
        end::decimal(18, 3) as included_tax,
        case
            when lower(source.is_gift_card) = 'true' then 'gift card, which is a sale when it is spent'
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

-- The price of one piece, rounded to four decimals in whole numbers.
priced as (
    select
        *,
        (total - discount - included_tax)::decimal(18, 3) as net_amount,
        ((total - included_tax) * 10000)::hugeint as ten_thousandths,
        (
            case
                when pieces = 0 then ten_thousandths
                else sign(ten_thousandths) * sign(pieces) * ((2 * abs(ten_thousandths) + abs(pieces)) // (2 * abs(pieces)))
            end::decimal(22, 0) * 0.0001
        )::decimal(18, 4) as unit_price
    from lines
)

select
    priced.record_number,
    priced.known_order_id as order_id,
    priced.id as line_id,
    coalesce(priced.sku, priced.product_id) as product_id,
    product.product_type as product_family,
    'product' as line_kind,
    priced.quantity,
    priced.unit_price,
    (priced.pieces::decimal(18, 0) * priced.unit_price - priced.net_amount)::decimal(18, 3) as discount_amount,
    priced.tax as tax_amount,
    priced.net_amount,
    case when coalesce(item.unit_cost_currency_code, priced.currency_code) = priced.currency_code then item.unit_cost_amount end as unit_cost,
    priced.left_out
from priced
left join product on priced.product_id = product.id
left join product_variant as variant on priced.variant_id = variant.id
left join inventory_item as item on variant.inventory_item_id = item.id
