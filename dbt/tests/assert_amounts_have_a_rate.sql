{{ config(severity='warn') }}
-- Warns: a counted amount in another currency has no exchange rate, since no day of its month has one or only some days have. It is never taken
-- one to one: sales and payments without it are counted next to the sums, cost of its month is null with the reason fx_missing, and the month
-- has no finance extract until a rate of each day comes.
with unpriced as (
    select 'fct_cost_line' as relation, cost_line_id as row_id, transaction_currency_code, period_month from {{ ref('fct_cost_line') }} where is_fx_missing and is_roi_basis and {{ affected() }}
    union all
    select 'fct_order_line_net' as relation, order_id || '/' || line_id as row_id, transaction_currency_code, period_month from {{ ref('fct_order_line_net') }} where is_fx_missing and is_counted and {{ affected() }}
    union all
    select 'fct_refund' as relation, refund_id as row_id, transaction_currency_code, period_month from {{ ref('fct_refund') }} where is_fx_missing and is_counted and {{ affected() }}
    union all
    select 'fct_payment' as relation, payment_id as row_id, transaction_currency_code, period_month from {{ ref('fct_payment') }} where is_fx_missing and is_counted and {{ affected() }}
)

select
    unpriced.*,
    case
        when unpriced.period_month is null then 'its month is not known'
        when fx.unrated_day_count > 0 then 'no rate on ' || cast(fx.unrated_day_count as string) || ' of ' || cast(fx.day_count as string) || ' days, first ' || cast(fx.first_unrated_date as string)
        else 'no rate on any day'
    end as what
from unpriced
left join {{ ref('int_core__fx_average') }} as fx on unpriced.transaction_currency_code = fx.currency_code and unpriced.period_month = fx.period_month
