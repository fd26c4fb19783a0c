{{ config(materialized='monthly') }}

with watermark as (
    select * from {{ ref('int_core__watermark') }}
),

orders as (
    select
        orders.*,
        {{ key_of('orders', 'order_id') }} as order_key,
        {{ business_date('orders.ordered_at', 'watermark.company_time_zone') }} as order_date,
        watermark.offer_window_days
    from {{ rows_near('stg_orders', 'ordered_at') }} as orders
    cross join watermark
),

offers as (
    select
        {{ key_of('offers', 'offer_id') }} as offer_key,
        offers.offer_id,
        offers.is_id_shared,
        coalesce({{ of_named('interactions', 'started_at') }}, offers.offered_at) as made_at
    from {{ ref('stg_offers') }} as offers
    {{ left_join_named(ref('int_service__interaction_placed'), 'interactions', 'interaction_key', 'offers', 'interaction_id') }}
    where not offers.is_deleted and offers.offer_id in (select orders.offer_id from orders)
),

-- An offer counts when the order came after it and inside the window. It was made in the interaction that the order names, else as the offer says.
accepted as (
    select orders.order_key
    from orders
    {{ left_join_named(ref('int_service__interaction_placed'), 'interactions', 'interaction_key', 'orders', 'interaction_id') }}
    {{ left_join_named('offers', 'offers', 'offer_key', 'orders', 'offer_id') }}
    where
        orders.offer_id is not null
        and {{ elapsed_seconds('coalesce(' ~ of_named('interactions', 'started_at') ~ ', ' ~ of_named('offers', 'made_at') ~ ')', 'orders.ordered_at') }} between 0 and orders.offer_window_days * 86400
),

fct_order as (
    select
        orders.order_key,
        orders.order_id,
        coalesce(orders.is_id_shared, false) as is_id_shared,
        coalesce(accounts.surviving_account_id, resolved.account_id, 'ACCOUNT_UNKNOWN') as account_id,
        orders.contact_id,
        orders.offer_id,
        orders.interaction_id,
        orders.order_kind,
        orders.sales_channel,
        orders.financial_state,
        orders.order_state,
        orders.currency_code as transaction_currency_code,
        orders.is_test,
        orders.is_deleted,
        orders.cancelled_at is not null or coalesce(orders.financial_state, '') in ('cancelled', 'voided') as is_cancelled,
        not orders.is_test and not orders.is_deleted and orders.cancelled_at is null and coalesce(orders.financial_state, '') not in ('cancelled', 'voided') as is_counted,
        accepted.order_key is not null as is_accepted_offer,
        coalesce(accounts.surviving_account_id, resolved.account_id, 'ACCOUNT_UNKNOWN') = 'ACCOUNT_UNKNOWN' as is_orphan,
        orders.order_date,
        period_day.period_month,
        orders.ordered_at,
        orders.delivered_at,
        orders.promised_at
    from orders
    inner join {{ ref('int_core__period_day') }} as period_day on orders.order_date = period_day.day
    left join {{ ref('int_core__account_merged') }} as accounts on orders.account_id = accounts.account_id
    left join {{ ref('int_core__account_resolved') }} as resolved on orders.contact_id = resolved.contact_id
    left join accepted on orders.order_key = accepted.order_key
)

select * from fct_order
