with dim_period as (
    select
        days.period_month,
        days.fiscal_period,
        days.fiscal_year,
        min(days.day) as start_date,
        max(days.day) as end_date,
        min(days.close_state) as close_state,
        bool_or(days.is_generated) as is_generated,
        bool_and(awaited.is_complete) as is_complete_period,
        min(awaited.waits_for) as waits_for,
        bool_and(awaited.has_tickets) as has_tickets,
        bool_and(awaited.has_interactions) as has_interactions,
        bool_and(awaited.has_orders) as has_orders,
        bool_and(awaited.has_offers) as has_offers,
        min(watermark.as_of_date) as as_of_date
    from {{ ref('int_core__period_day') }} as days
    inner join {{ ref('int_core__month_awaited') }} as awaited on days.period_month = awaited.period_month
    cross join {{ ref('int_core__watermark') }} as watermark
    group by days.period_month, days.fiscal_period, days.fiscal_year
)

select * from dim_period
