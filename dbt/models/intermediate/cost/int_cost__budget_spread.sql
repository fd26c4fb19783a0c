with budgets as (
    select budgets.*, {{ key_of('budgets', 'budget_version_id') }} as budget_version_key, {{ currency_decimals('budgets.currency_code') }} as budget_decimals,
        {{ minor_units('budgets.budget_amount', currency_decimals('budgets.currency_code')) }} as budget_minor
    from {{ ref('stg_budgets') }} as budgets
    where not budgets.is_deleted
),

periods as (
    select
        distinct_periods.*,
        cast(row_number() over (partition by fiscal_year order by period_month) as bigint) as month_place,
        count(*) over (partition by fiscal_year) as known_count
    from (select distinct period_month, fiscal_period, fiscal_year from {{ ref('int_core__period_day') }}) as distinct_periods
),

-- A line that names a month has one share. One that names a year has a share for each of its months, twelve at least: the months that no
-- calendar has named yet keep theirs together, without a month.
shares as (
    select
        budgets.budget_version_key || '|' || budgets.line_id || '|' || budgets.fiscal_period as pool_key,
        budgets.budget_minor,
        periods.period_month,
        cast(1 as bigint) as month_place,
        cast(1 as bigint) as month_count,
        1 as month_weight
    from budgets
    inner join periods on budgets.fiscal_period = periods.fiscal_period
    union all
    select
        budgets.budget_version_key || '|' || budgets.line_id || '|' || budgets.fiscal_period as pool_key,
        budgets.budget_minor,
        year_months.period_month,
        year_months.month_place,
        year_months.month_count,
        1 as month_weight
    from budgets
    inner join (
        select fiscal_year, period_month, month_place, cast(1 as bigint) as month_count from periods
        union all
        select fiscal_year, cast(null as date), known_count + 1, 12 - known_count from periods where month_place = 1 and known_count < 12
    ) as year_months on budgets.fiscal_period = year_months.fiscal_year
    where not exists (select 1 from periods as months where months.fiscal_period = budgets.fiscal_period)
),

handed as (
    {{ largest_remainder('shares', 'pool_key', 'budget_minor', 'month_weight', 'month_place', 'month_count') }}
),

spread as (
    select
        budgets.*,
        'budget|' || budgets.budget_version_key || '|' || budgets.line_id || '|' || budgets.fiscal_period as cost_line_id,
        handed.period_month,
        coalesce(handed.base_minor * handed.month_count + handed.bonus_minor * handed.bonus_count, budgets.budget_minor) as month_minor
    from budgets
    left join handed on budgets.budget_version_key || '|' || budgets.line_id || '|' || budgets.fiscal_period = handed.pool_key
)

select * from spread
