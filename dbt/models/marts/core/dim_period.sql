with dim_period as (
    select
        days.period_month,
        days.fiscal_period,
        days.fiscal_year,
        min(quarter.quarter_start_date) as quarter_start_date,
        min(days.day) as start_date,
        max(days.day) as end_date,
        min(days.close_state) as close_state,
        bool_or(days.is_generated) as is_generated,
        bool_and(awaited.is_complete) as is_complete_period,
        bool_and(quarter.is_complete_quarter) as is_complete_quarter,
        min(awaited.waits_for) as waits_for,
        bool_and(awaited.has_tickets) as has_tickets,
        bool_and(awaited.has_interactions) as has_interactions,
        bool_and(awaited.has_orders) as has_orders,
        bool_and(awaited.has_offers) as has_offers,
        min(watermark.as_of_date) as as_of_date
    from {{ ref('int_core__period_day') }} as days
    inner join {{ ref('int_core__month_awaited') }} as awaited on days.period_month = awaited.period_month
    inner join {{ ref('int_core__quarter') }} as quarter on days.period_month = quarter.period_month
    cross join {{ ref('int_core__watermark') }} as watermark
    group by days.period_month, days.fiscal_period, days.fiscal_year
)

select * from dim_period
