-- One row a refunded line. Less was given back than calculated where an adjustment is positive: the lines of the refund bear
-- it in turn. A line waits for its refund and order.
with kept as (
    select refund_id, sum(greatest(try_cast(amount as decimal(18, 3)), 0)) as amount from order_adjustment group by refund_id
),

goods as (
    select
        source.id,
        source.refund_id,
        try_cast(source.subtotal as decimal(18, 3))
        - case when lower(orders.taxes_included) = 'true' then coalesce(try_cast(source.total_tax as decimal(18, 3)), 0) else 0 end as amount
    from source
    left join refund on source.refund_id = refund.id
    left join "order" as orders on refund.order_id = orders.id
),

given_back as (
    select
        goods.id,
        goods.refund_id,
        (goods.amount - least(goods.amount, greatest(
            0,
            coalesce(kept.amount, 0) - coalesce(sum(goods.amount) over (
                partition by goods.refund_id order by goods.id rows between unbounded preceding and 1 preceding
            ), 0)
        )))::decimal(18, 3) as amount
    from goods
    left join kept on goods.refund_id = kept.refund_id
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

chargebacks as (
    select distinct refund_id from transaction where lower(gateway) = 'chargeback'
)

select
    source.record_number,
    source.id as refund_id,
    orders.id as order_id,
    source.order_line_id as line_id,
    coalesce(refund.processed_at, refund.created_at) as refunded_at,
    refund.processed_at,
    given_back.amount as refund_amount,
    source.total_tax as tax_amount,
    orders.currency as currency_code,
    case
        when refund.note in ('defect', 'late', 'not_as_described', 'changed_mind', 'goodwill', 'fraud') then refund.note
        when chargebacks.refund_id is not null then 'fraud'
        else 'other'
    end as refund_reason,
    chargebacks.refund_id is not null as is_chargeback,
    source.quantity as returned_quantity,
    lower(source.restock_type) in ('return', 'cancel', 'legacy_restock') as is_restocked,
    case
        when lower(order_line.gift_card) = 'true' then 'gift card, which is a sale when it is spent'
        when tips.id is not null then 'tip, which is no sale'
        when coalesce(order_line.product_id, order_line.variant_id, order_line.sku) is null and regexp_matches(lower(coalesce(order_line.title, order_line.name, '')), '^(deposit|anzahlung|kaution|pfand|acompte|arrhes|consigne|anticipo|dep[óo]sito|caparra|cauzione|borg|statiegeld)([ :(–-]*[0-9.,]* ?%?\)?| (for|on|of|für|auf|pour|sur|de|per|para|voor|op) .*)$') then 'deposit, which is no sale'
    end as left_out
from source
left join refund on source.refund_id = refund.id
left join "order" as orders on refund.order_id = orders.id
left join given_back on source.id is not distinct from given_back.id and source.refund_id is not distinct from given_back.refund_id
left join chargebacks on source.refund_id = chargebacks.refund_id
left join order_line on source.order_line_id = order_line.id
left join tips on source.order_line_id = tips.id
