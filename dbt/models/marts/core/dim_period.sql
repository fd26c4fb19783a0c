with dim_period as (
    select
        days.period_month,
        days.fiscal_period,
        days.fiscal_year,
        min(days.day) as start_date,
        max(days.day) as end_date,
        min(days.close_state) as close_state,
        bool_or(days.is_generated) as is_generated,
        bool_and(days.end_date <= watermark.as_of_date) as is_complete_period,
        min(watermark.as_of_date) as as_of_date
    from {{ ref('int_core__period_day') }} as days
    cross join {{ ref('int_core__watermark') }} as watermark
    group by days.period_month, days.fiscal_period, days.fiscal_year
)

select * from dim_period
