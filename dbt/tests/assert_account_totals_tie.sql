{{ config(tags=['gate']) }}
-- Breaks: the company total is not the sum of its accounts. Pseudo-accounts carry what belongs to no customer, so cost,
-- revenue and payments summed over accounts must equal the facts.
with accounts as (
    select 'service_cost' as measure, period_month, sum(service_cost_amount) as amount from {{ ref('mart_account_service_month') }} where {{ affected() }} group by period_month
    union all
    select 'net_revenue', period_month, sum(net_revenue_amount) from {{ ref('mart_account_sales_month') }} where {{ affected() }} group by period_month
    union all
    select 'payments', period_month, sum(payment_amount) from {{ ref('mart_account_sales_month') }} where {{ affected() }} group by period_month
),

unknown_months as (
    select 'net_revenue' as measure, period_month from {{ ref('mart_account_sales_month') }} where null_reason = 'source_absent'
    union
    select 'service_cost' as measure, period_month from {{ ref('mart_account_service_month') }} where null_reason = 'fx_missing'
),

movements as (
    select 'service_cost' as measure, period_month, cost_amount as amount from {{ ref('fct_cost_line') }} where is_roi_basis and {{ affected() }}
    union all
    select 'net_revenue', period_month, net_amount from {{ ref('fct_order_line_net') }} where is_counted and {{ affected() }}
    union all
    select 'net_revenue', period_month, -refund_amount from {{ ref('fct_refund') }} where is_counted and {{ affected() }}
    union all
    select 'payments', period_month, payment_amount from {{ ref('fct_payment') }} where is_counted and {{ affected() }}
),

facts as (
    select measure, period_month, sum(amount) as amount from movements group by measure, period_month
)

select coalesce(accounts.measure, facts.measure) as measure, coalesce(accounts.period_month, facts.period_month) as period_month, accounts.amount as account_amount, facts.amount as fact_amount
from accounts
full outer join facts on accounts.measure = facts.measure and accounts.period_month = facts.period_month
where
    coalesce(accounts.amount, 0) <> coalesce(facts.amount, 0)
    and not exists (
        select 1 from unknown_months
        where unknown_months.measure = coalesce(accounts.measure, facts.measure) and unknown_months.period_month = coalesce(accounts.period_month, facts.period_month)
    )
