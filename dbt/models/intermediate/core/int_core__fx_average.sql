with watermark as (
    select * from {{ ref('int_core__watermark') }}
),

monthly as (
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
),

days as (
    select
        period_month,
        cast(date_trunc('month', day) as date) as rate_month,
        count(*) over (partition by period_month) as day_count
    from {{ ref('int_core__period_day') }}
),

-- Each day of a fiscal month counts with the rate of its calendar month; a month in which a day has none has no rate.
fx_average as (
    select
        monthly.currency_code,
        days.period_month,
        case
            when min(monthly.exchange_rate) = max(monthly.exchange_rate) then max(monthly.exchange_rate)
            else cast(
                cast({{ rounded_quotient(wide_integer('sum(monthly.exchange_rate) * 100000000'), 'count(*)') }} as decimal(19, 0))
                * cast(0.00000001 as decimal(9, 8)) as decimal(18, 8)
            )
        end as exchange_rate
    from days
    inner join monthly on days.rate_month = monthly.rate_month
    group by monthly.currency_code, days.period_month, days.day_count
    having count(*) = days.day_count
)

select * from fx_average
