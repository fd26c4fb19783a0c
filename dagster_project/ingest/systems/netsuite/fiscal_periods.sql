-- One row a fiscal month, named by the month in its middle. Quarters, years and adjustment periods hold the same days again.
with periods as (
    select
        *,
        try_cast(starting as date) as first_day,
        try_cast(ending as date) as last_day
    from source
),

years as (
    select accounting_period_id, max(last_day) as last_day from periods where lower(year_0) = 'yes' group by accounting_period_id
)

select
    periods.record_number,
    strftime(periods.first_day + ((periods.last_day - periods.first_day) // 2)::integer, '%Y-%m') as fiscal_period,
    coalesce(
        'FY' || nullif(regexp_extract(periods.full_name, 'FY ?(\d{4})', 1), ''),
        'FY' || year(coalesce(years.last_day, periods.last_day))
    ) as fiscal_year,
    periods.first_day as start_date,
    periods.last_day as end_date,
    case when day(periods.first_day) = 1 and periods.last_day = last_day(periods.first_day) then 'calendar' else 'other' end as calendar_kind,
    case when lower(periods.closed) = 'yes' then 'closed' when lower(periods.closed_all) = 'yes' then 'soft_closed' else 'open' end as close_state,
    periods.closed_on as closed_at,
    case
        when lower(periods.year_0) = 'yes' then 'a year, not a month'
        when lower(periods.quarter) = 'yes' then 'a quarter, not a month'
        when lower(periods.is_adjustment) = 'yes' then 'an adjustment period is in its month'
    end as left_out
from periods
left join years on periods.year_id = years.accounting_period_id
