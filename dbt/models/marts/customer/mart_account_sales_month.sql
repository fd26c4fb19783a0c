{{ config(materialized='monthly') }}

with watermark as (
    select * from {{ ref('int_core__watermark') }}
),

-- An order is a sale of the account when at least one of its counted lines sold something; without a lines feed, when it is a sale.
sale_orders as (
    select distinct order_key, account_id, period_month, order_date
    from {{ rows_of('fct_order_line_net') }} as lines
    where is_counted and is_gross_sale
    union all
    select orders.order_key, orders.account_id, orders.period_month, orders.order_date
    from {{ rows_of('fct_order') }} as orders
    inner join watermark on not watermark.has_order_lines
    where orders.is_counted and orders.order_kind = 'sale'
),

order_counts as (
    select account_id, period_month, count(*) as orders_count, count(distinct order_date) as order_days_count
    from sale_orders
    group by account_id, period_month
),

-- Sums are of what has a rate; what has none is counted next to them. The margin is unknown where the cost of what was sold, or came back, is.
line_sums as (
    select
        account_id,
        period_month,
        sum(case when is_gross_sale then net_amount else 0 end) as gross_sales_amount,
        sum(case when net_amount < 0 then net_amount else 0 end) as credit_amount,
        sum(net_amount) as net_amount,
        sum(margin_amount) as margin_amount,
        sum(case when is_accepted_offer then margin_amount else 0 end) as offer_margin_amount,
        count(net_amount) as priced_count,
        count(case when is_fx_missing then 1 end) as unpriced_count,
        bool_or(margin_amount is null and not is_fx_missing) as is_cost_missing,
        bool_or(is_accepted_offer and margin_amount is null and not is_fx_missing) as is_offer_cost_missing
    from {{ rows_of('fct_order_line_net') }} as lines
    where is_counted
    group by account_id, period_month
),

refund_sums as (
    select
        account_id,
        period_month,
        sum(refund_amount) as refund_amount,
        sum(refund_amount - coalesce(cost_recovered_amount, 0)) as margin_lost_amount,
        sum(case when is_accepted_offer then refund_amount - coalesce(cost_recovered_amount, 0) else 0 end) as offer_margin_lost_amount,
        count(refund_amount) as priced_count,
        count(case when is_fx_missing then 1 end) as unpriced_count,
        bool_or(refund_amount is not null and cost_recovered_null_reason = 'unit_cost_absent') as is_cost_missing,
        bool_or(is_accepted_offer and refund_amount is not null and cost_recovered_null_reason = 'unit_cost_absent') as is_offer_cost_missing
    from {{ rows_of('fct_refund') }} as refunds
    where is_counted
    group by account_id, period_month
),

payment_sums as (
    select account_id, period_month, count(*) as payments_count, sum(payment_amount) as payment_amount, count(payment_amount) as priced_count, count(case when is_fx_missing then 1 end) as unpriced_count
    from {{ rows_of('fct_payment') }} as payments
    where is_counted and period_month is not null
    group by account_id, period_month
),

account_months as (
    select account_id, period_month from order_counts
    union
    select account_id, period_month from line_sums
    union
    select account_id, period_month from refund_sums
    union
    select account_id, period_month from payment_sums
),

flagged as (
    select
        account_months.account_id,
        account_months.period_month,
        watermark.*,
        periods.has_orders as are_orders_known,
        periods.has_offers as are_offers_known,
        coalesce(line_sums.unpriced_count, 0) + coalesce(refund_sums.unpriced_count, 0) as unpriced_count,
        coalesce(line_sums.priced_count, 0) + coalesce(refund_sums.priced_count, 0) as priced_count,
        coalesce(line_sums.is_cost_missing, false) or coalesce(refund_sums.is_cost_missing, false) as is_cost_missing,
        coalesce(line_sums.is_offer_cost_missing, false) or coalesce(refund_sums.is_offer_cost_missing, false) as is_offer_cost_missing,
        coalesce(payment_sums.unpriced_count, 0) as unpriced_payments_count,
        coalesce(payment_sums.unpriced_count > 0 and payment_sums.priced_count = 0, false) as is_payment_fx_missing,
        coalesce(order_counts.orders_count, 0) as orders_count,
        coalesce(order_counts.order_days_count, 0) as order_days_count,
        coalesce(line_sums.gross_sales_amount, 0) as gross_sales_amount,
        coalesce(line_sums.credit_amount, 0) as credit_amount,
        coalesce(line_sums.net_amount, 0) as net_amount,
        coalesce(line_sums.margin_amount, 0) - coalesce(refund_sums.margin_lost_amount, 0) as contribution_margin_amount,
        coalesce(line_sums.offer_margin_amount, 0) - coalesce(refund_sums.offer_margin_lost_amount, 0) as offer_margin_amount,
        coalesce(refund_sums.refund_amount, 0) as refund_amount,
        coalesce(payment_sums.payments_count, 0) as payments_count,
        coalesce(payment_sums.payment_amount, 0) as payment_amount
    from account_months
    inner join {{ rows_of('dim_period') }} as periods on account_months.period_month = periods.period_month
    cross join watermark
    left join order_counts on account_months.account_id = order_counts.account_id and account_months.period_month = order_counts.period_month
    left join line_sums on account_months.account_id = line_sums.account_id and account_months.period_month = line_sums.period_month
    left join refund_sums on account_months.account_id = refund_sums.account_id and account_months.period_month = refund_sums.period_month
    left join payment_sums on account_months.account_id = payment_sums.account_id and account_months.period_month = payment_sums.period_month
),

known as (
    select *, unpriced_count > 0 and priced_count = 0 as is_fx_missing from flagged
),

reasoned as (
    select
        known.*,
        case when not are_orders_known then 'source_absent' end as orders_null_reason,
        case when not has_order_lines or not are_orders_known then 'source_absent' when is_fx_missing then 'fx_missing' end as null_reason,
        case when not has_refunds or not has_order_lines or not are_orders_known then 'source_absent' when is_fx_missing then 'fx_missing' end as refund_null_reason,
        case when not has_order_lines or not are_orders_known then 'source_absent' when is_fx_missing then 'fx_missing' when is_cost_missing then 'unit_cost_absent' end as margin_null_reason,
        case
            when not has_order_lines or not are_orders_known or not are_offers_known then 'source_absent'
            when is_fx_missing then 'fx_missing'
            when is_offer_cost_missing then 'unit_cost_absent'
        end as offer_margin_null_reason,
        case when not has_payments then 'source_absent' when is_payment_fx_missing then 'fx_missing' end as payment_null_reason
    from known
),

mart_account_sales_month as (
    select
        account_id,
        period_month,
        reporting_currency_code as currency_code,
        case when orders_null_reason is null then orders_count end as orders_count,
        case when orders_null_reason is null then order_days_count end as order_days_count,
        orders_null_reason,
        case when null_reason is null then cast(gross_sales_amount as decimal(18, 3)) end as gross_sales_amount,
        case when null_reason is null then cast(credit_amount as decimal(18, 3)) end as credit_amount,
        case when refund_null_reason is null then cast(refund_amount as decimal(18, 3)) end as refund_amount,
        refund_null_reason,
        case when null_reason is null then cast(net_amount - refund_amount as decimal(18, 3)) end as net_revenue_amount,
        null_reason,
        case when has_order_lines then cast(unpriced_count as bigint) end as unpriced_count,
        case when margin_null_reason is null then cast(contribution_margin_amount as decimal(18, 3)) end as contribution_margin_amount,
        margin_null_reason,
        case when offer_margin_null_reason is null then cast(offer_margin_amount as decimal(18, 3)) end as offer_margin_amount,
        offer_margin_null_reason,
        case when has_payments then payments_count end as payments_count,
        case when payment_null_reason is null then cast(payment_amount as decimal(18, 3)) end as payment_amount,
        payment_null_reason,
        case when has_payments then cast(unpriced_payments_count as bigint) end as unpriced_payments_count
    from reasoned
)

select * from mart_account_sales_month
