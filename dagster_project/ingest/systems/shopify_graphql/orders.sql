-- One row an order. Net is the subtotal: after discounts on goods, before shipping and tax; where prices include tax, or a line is
-- no sale (gift card, tip, deposit), it is left to the lines, as are gross and discount. A cancelled order of which money was kept counts,
-- and so do its refunds. A tag credit_memo or adjustment says the kind, a negative subtotal too.
with account_tags as (
    select customer_id, min(substr(value, 9)) as account_id
    from customer_tag
    where value like 'account:_%'
    group by customer_id
),

kinds as (
    select order_id, max(value) as order_kind from order_tag where value in ('credit_memo', 'adjustment') group by order_id
),

attributes as (
    select
        order_id,
        max(trim(value, '"')) filter (where name = 'contact_id') as contact_id,
        max(trim(value, '"')) filter (where name = 'offer_id') as offer_id,
        max(trim(value, '"')) filter (where name = 'interaction_id') as interaction_id,
        max(trim(value, '"')) filter (where name = 'referral_id') as referral_id
    from (
        select order_id, name, value from order_note_attribute
        union all
        select order_id, coalesce(key, name), value from order_custom_attribute
    ) as noted
    group by order_id
),

shipping as (
    select order_id, sum(try_cast(discounted_price_set_shop_amount as decimal(18, 3))) as shipping_amount
    from order_shipping_line
    where lower(is_removed) <> 'true'
    group by order_id
),

-- Lines that are no sale: gift cards, tips and deposits, as in order_lines.sql.
no_sales as (
    select
        order_id,
        bool_or(
            coalesce(lower(is_gift_card) = 'true', false)
            or (
                coalesce(product_id, variant_id, sku) is null
                and regexp_matches(
                    lower(coalesce(title, name, '')),
                    '^(tips?|gratuity|trinkgeld|pourboire|propina|mancia|gorjeta|fooi|dricks|drikkepenge|napiwek|チップ|小费)([ :(–-]*[0-9.,]* ?%?\)?|[:–-] .*)$|^(deposit|anzahlung|kaution|pfand|acompte|arrhes|consigne|anticipo|dep[óo]sito|caparra|cauzione|borg|statiegeld)([ :(–-]*[0-9.,]* ?%?\)?| (for|on|of|für|auf|pour|sur|de|per|para|voor|op) .*)$'
                )
            )
        ) as is_any
    from order_line
    group by order_id
),

orders as (
    select
        source.*,
        coalesce(lower(source.taxes_included) = 'true' and try_cast(source.total_tax_set_shop_amount as decimal(18, 3)) <> 0, false)
        or coalesce(no_sales.is_any, false)
        or coalesce(try_cast(source.total_tip_received_set_shop_amount as decimal(18, 3)) <> 0, false) as is_left_to_lines
    from source
    left join no_sales on source.id = no_sales.order_id
)

select
    orders.record_number,
    orders.id as order_id,
    account_tags.account_id,
    coalesce(attributes.contact_id, orders.customer_id) as contact_id,
    coalesce(kinds.order_kind, case when try_cast(orders.subtotal_price_set_shop_amount as decimal(18, 3)) < 0 then 'credit_memo' end, 'sale') as order_kind,
    coalesce(orders.processed_at, orders.created_at) as ordered_at,
    orders.processed_at,
    orders.source_name as sales_channel,
    orders.currency_code,
    orders.presentment_currency_code,
    orders.total_tax_set_shop_amount as tax_amount,
    coalesce(shipping.shipping_amount, 0)::decimal(18, 3) as shipping_amount,
    case when not orders.is_left_to_lines then orders.subtotal_price_set_shop_amount end as net_amount,
    case lower(orders.display_financial_status) when 'expired' then 'voided' else lower(orders.display_financial_status) end as financial_state,
    lower(orders.display_fulfillment_status) as order_state,
    case when coalesce(lower(orders.display_financial_status), '') not in ('paid', 'partially_refunded') then nullif(trim(orders.cancelled_at), '') end as cancelled_at,
    orders.test as is_test,
    orders.source_name,
    attributes.offer_id,
    attributes.interaction_id,
    attributes.referral_id,
    orders.updated_at as source_updated_at
from orders
left join account_tags on orders.customer_id = account_tags.customer_id
left join kinds on orders.id = kinds.order_id
left join attributes on orders.id = attributes.order_id
left join shipping on orders.id = shipping.order_id
