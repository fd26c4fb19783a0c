with budgets as (
    select budgets.*, {{ key_of('budgets', 'budget_version_id') }} as budget_version_key, {{ minor_units('budgets.budget_amount') }} as budget_minor
    from {{ ref('stg_budgets') }} as budgets
    where not budgets.is_deleted
),

periods as (
    select distinct period_month, fiscal_period, fiscal_year from {{ ref('int_core__period_day') }}
),

-- A line that names a year becomes one share per month of that year; a line that names a month has one share.
shares as (
    select
        budgets.budget_version_key || '|' || budgets.line_id as pool_key,
        budgets.budget_minor,
        periods.period_month,
        1 as month_weight
    from budgets
    inner join periods on budgets.fiscal_period = periods.fiscal_period
    union all
    select
        budgets.budget_version_key || '|' || budgets.line_id as pool_key,
        budgets.budget_minor,
        periods.period_month,
        1 as month_weight
    from budgets
    inner join periods on budgets.fiscal_period = periods.fiscal_year
    where not exists (select 1 from periods as months where months.fiscal_period = budgets.fiscal_period)
),

handed as (
    {{ largest_remainder('shares', 'pool_key', 'budget_minor', 'month_weight', 'period_month') }}
),

spread as (
    select
        budgets.*,
        handed.period_month,
        coalesce(handed.base_minor + handed.bonus_minor * handed.bonus_count, budgets.budget_minor) as month_minor
    from budgets
    left join handed on budgets.budget_version_key || '|' || budgets.line_id = handed.pool_key
)

select * from spread
