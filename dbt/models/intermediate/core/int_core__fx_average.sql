with watermark as (
    select * from {{ ref('int_core__watermark') }}
),

fx_average as (
    select
        rates.from_currency_code as currency_code,
        cast(date_trunc('month', rates.rate_date) as date) as rate_month,
        rates.exchange_rate
    from {{ ref('stg_fx_rates') }} as rates
    inner join watermark on rates.to_currency_code = watermark.reporting_currency_code
    where rates.rate_type = 'average' and not rates.is_deleted and rates.is_overruled is not true
    qualify row_number() over (
        partition by rates.from_currency_code, date_trunc('month', rates.rate_date)
        order by rates.rate_date, rates.rate_source
    ) = 1
)

select * from fx_average
