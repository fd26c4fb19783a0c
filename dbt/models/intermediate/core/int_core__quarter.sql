-- Months are counted in their fiscal year; days that a calendar feed cuts off a calendar month are none, and go with the month before.
with periods as (
    select
        days.period_month, days.fiscal_year, min(days.day) as start_date, max(days.day) as end_date, bool_or(days.is_generated) as is_generated,
        bool_and(awaited.is_complete) as is_complete_period
    from {{ ref('int_core__period_day') }} as days
    inner join {{ ref('int_core__month_awaited') }} as awaited on days.period_month = awaited.period_month
    group by days.period_month, days.fiscal_year
),

months as (
    select
        periods.period_month, periods.fiscal_year, periods.is_generated, periods.is_complete_period,
        not periods.is_generated or (periods.start_date = cast(date_trunc('month', periods.start_date) as date) and periods.end_date = last_day(periods.start_date)) as is_month,
        cast((month(periods.period_month) - parameters.fiscal_year_start_month + 12) % 12 as bigint) as calendar_number
    from periods
    cross join {{ source('lake', 'run_parameters') }} as parameters
),

counted as (
    select
        months.*,
        cast(count(case when months.is_month then 1 end) over (partition by months.fiscal_year order by months.period_month) as bigint) as month_number,
        cast(count(case when months.is_month then 1 end) over (partition by months.fiscal_year) as bigint) as months_count,
        min(months.period_month) over (partition by months.fiscal_year) = min(months.period_month) over () as is_first_year,
        max(months.period_month) over (partition by months.fiscal_year) = max(months.period_month) over () as is_last_year
    from months
),

-- What comes before the first known month of a year: where we made the month, as the calendar says; where a feed begins within a year, what the year lacks.
begun as (
    select
        counted.*,
        coalesce(
            max(case when counted.is_month and counted.is_generated and counted.month_number = 1 then counted.calendar_number end) over (partition by counted.fiscal_year),
            case when counted.is_first_year and not counted.is_last_year then greatest(12 - counted.months_count, 0) else 0 end
        ) as missing_count
    from counted
),

numbered as (
    select
        period_month, fiscal_year, is_month, is_complete_period,
        {{ integer_quotient('cast(greatest(missing_count + month_number - 1, 0) as bigint)', 3) }} as quarter_number
    from begun
),

quarter as (
    select
        period_month,
        min(period_month) over (partition by fiscal_year, quarter_number) as quarter_start_date,
        bool_and(is_complete_period) over (partition by fiscal_year, quarter_number)
        and count(case when is_month then 1 end) over (partition by fiscal_year, quarter_number) = 3 as is_complete_quarter
    from numbered
)

select * from quarter
