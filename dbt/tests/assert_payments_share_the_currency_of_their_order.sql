{{ config(severity='warn') }}
-- Warns: a payment came in another currency than its order. Both are converted on their own, so what is still owed differs by the rates.
select payments.payment_id, payments.order_id, payments.transaction_currency_code, orders.transaction_currency_code as order_currency_code
from {{ ref('fct_payment') }} as payments
inner join {{ ref('fct_order') }} as orders on payments.order_key = orders.order_key
where payments.is_currency_mixed and {{ affected('payments.period_month') }}
