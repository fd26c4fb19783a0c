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

-- The days of a fiscal month by calendar month.
parts as (
    select period_month, rate_month, count(*) as day_count, min(day) as first_date
    from (select period_month, day, cast(date_trunc('month', day) as date) as rate_month from {{ ref('int_core__period_day') }}) as days
    group by period_month, rate_month
),

currencies as (
    select distinct currency_code from monthly
),

rated as (
    select currencies.currency_code, parts.period_month, parts.day_count, parts.first_date, monthly.exchange_rate
    from parts
    cross join currencies
    left join monthly on parts.rate_month = monthly.rate_month and currencies.currency_code = monthly.currency_code
),

-- Each day of a fiscal month counts with the rate of its calendar month; a month in which a day has none has no rate.
fx_average as (
    select
        currency_code,
        period_month,
        cast(sum(day_count) as bigint) as day_count,
        cast(sum(case when exchange_rate is null then day_count else 0 end) as bigint) as unrated_day_count,
        min(case when exchange_rate is null then first_date end) as first_unrated_date,
        case
            when count(exchange_rate) < count(*) then null
            when min(exchange_rate) = max(exchange_rate) then max(exchange_rate)
            else cast(
                cast({{ rounded_quotient('sum(' ~ wide_integer('cast(exchange_rate as decimal(38, 8)) * 100000000') ~ ' * day_count)', 'sum(day_count)') }} as decimal(19, 0))
                * cast(0.00000001 as decimal(9, 8)) as decimal(18, 8)
            )
        end as exchange_rate
    from rated
    group by currency_code, period_month
    having count(exchange_rate) > 0
)

select * from fx_average
