with watermark as (
    select * from {{ ref('int_core__watermark') }}
),

days as (
    select {{ day_series("date_trunc('month', watermark.first_date)", 'last_day(watermark.last_date)') }} as day
    from watermark
),

fiscal_periods as (
    select * from {{ ref('stg_fiscal_periods') }} where not is_deleted and is_overruled is not true
),

-- One period a day, even where the calendar feed overlaps itself.
covered as (
    select
        days.day,
        fiscal_periods.fiscal_period,
        fiscal_periods.fiscal_year,
        fiscal_periods.close_state
    from days
    left join fiscal_periods on days.day between fiscal_periods.start_date and fiscal_periods.end_date
    qualify row_number() over (partition by days.day order by fiscal_periods.start_date desc, fiscal_periods.fiscal_period) = 1
),

-- Days outside the calendar feed fall into calendar months; an id the feed already uses gets a suffix.
named as (
    select
        covered.day,
        covered.fiscal_period is null as is_generated,
        coalesce(
            covered.fiscal_period,
            substr(cast(covered.day as string), 1, 7)
            || case when exists (select 1 from fiscal_periods where fiscal_periods.fiscal_period = substr(cast(covered.day as string), 1, 7)) then '-rest' else '' end
        ) as fiscal_period,
        coalesce(
            covered.fiscal_year,
            'FY' || cast(year(covered.day) + case when watermark.fiscal_year_start_month > 1 and month(covered.day) >= watermark.fiscal_year_start_month then 1 else 0 end as string)
        ) as fiscal_year,
        coalesce(covered.close_state, 'open') as close_state
    from covered
    cross join watermark
),

period_days as (
    select
        day,
        fiscal_period,
        fiscal_year,
        close_state,
        is_generated,
        min(day) over (partition by fiscal_period) as period_month,
        max(day) over (partition by fiscal_period) as end_date
    from named
)

select * from period_days
