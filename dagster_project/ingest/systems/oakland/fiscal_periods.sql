-- Twelve months, July to June, of each fiscal year named in the file.
with years as (
    select budget_year, min(record_number) as record_number, strptime('20' || substr(budget_year, 3, 2) || '-07-01', '%Y-%m-%d')::date as first_day
    from source
    where regexp_full_match(budget_year, 'FY\d\d-\d\d')
    group by budget_year
)

select
    record_number,
    strftime(first_day + to_months(month_number::integer), '%Y-%m') as fiscal_period,
    'FY20' || right(budget_year, 2) as fiscal_year,
    (first_day + to_months(month_number::integer))::date as start_date,
    (first_day + to_months(month_number::integer + 1) - interval 1 day)::date as end_date,
    'other' as calendar_kind,
    'closed' as close_state
from years
cross join range(12) as months (month_number)
