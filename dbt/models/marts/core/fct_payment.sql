{{ config(materialized='monthly') }}

-- The date before any other join: as long as the zone is one constant, a conversion costs a thirtieth.
with paid as (
    select
        payments.*,
        {{ business_date('payments.paid_at', 'watermark.company_time_zone') }} as paid_date,
        watermark.reporting_currency_code,
        watermark.currency_decimals
    from {{ rows_near('stg_payments', 'paid_at', nullable=true) }} as payments
    cross join {{ ref('int_core__watermark') }} as watermark
),

payments as (
    select
        paid.*,
        {{ key_of('paid', 'payment_id') }} as payment_key,
        {{ of_named('orders', 'order_key') }} as order_key,
        {{ of_named('orders', 'account_id') }} as account_id,
        {{ of_named('orders', 'order_id') }} is null as is_orphan,
        {{ of_named('orders', 'is_test') }} as is_order_test,
        {{ of_named('orders', 'is_deleted') }} as is_order_deleted,
        coalesce({{ of_named('orders', 'transaction_currency_code') }} <> paid.currency_code, false) as is_currency_mixed,
        coalesce(paid.paid_date, {{ of_named('orders', 'order_date') }}) as payment_date
    from paid
    {{ left_join_named(ref('fct_order'), 'orders', 'order_key', 'paid', 'order_id') }}
),

fct_payment as (
    select
        payments.payment_key,
        payments.payment_id,
        payments.order_key,
        payments.order_id,
        coalesce(payments.account_id, 'ACCOUNT_UNKNOWN') as account_id,
        payments.payment_method,
        payments.currency_code as transaction_currency_code,
        payments.reporting_currency_code as currency_code,
        not payments.is_deleted and not coalesce(payments.is_order_test or payments.is_order_deleted, false) as is_counted,
        payments.currency_code <> payments.reporting_currency_code and {{ rounded_money('cast(payments.payment_amount as decimal(29, 3)) * fx.exchange_rate', 'payments.currency_decimals') }} is null as is_fx_missing,
        payments.is_orphan,
        payments.is_currency_mixed,
        payments.instalment_count,
        payments.payment_amount as transaction_payment_amount,
        case
            when payments.currency_code = payments.reporting_currency_code then {{ rounded_money('payments.payment_amount', 'payments.currency_decimals') }}
            else {{ rounded_money('cast(payments.payment_amount as decimal(29, 3)) * fx.exchange_rate', 'payments.currency_decimals') }}
        end as payment_amount,
        payments.payment_date,
        period_day.period_month,
        payments.paid_at
    from payments
    left join {{ ref('int_core__period_day') }} as period_day on payments.payment_date = period_day.day
    left join {{ ref('int_core__fx_average') }} as fx
        on payments.currency_code = fx.currency_code and period_day.period_month = fx.period_month
)

select * from fct_payment
