-- Schema state holds what was true when the last copy was published; see docs/decisions/0016-a-day-rebuilds-its-months.md.
-- A row that stands on both sides adds up to 0: what is left came, went or changed.
with period_day as (
    select * from {{ ref('int_core__period_day') }}
),

days as (
    select days.day, days.period_month, days.fiscal_period, days.fiscal_year, days.is_generated, days.end_date <= watermark.as_of_date as is_complete, 1 as side
    from period_day as days
    cross join {{ ref('int_core__watermark') }} as watermark
    union all
    select day, period_month, fiscal_period, fiscal_year, is_generated, is_complete, -1 as side from {{ source('state', 'period_day') }}
),

-- A month that begins, becomes complete, or has other days or another name.
changed_days as (
    select period_month
    from days
    group by day, period_month, fiscal_period, fiscal_year, is_generated, is_complete
    having sum(side) <> 0
),

cost_lines as (
    select period_month, cost_line_id, cost_line_number, legal_entity, department_id, cost_category, pool_id, currency_code, line_kind, is_in_scope, is_in_force, is_roi_basis, cost_amount, 1 as side
    from {{ ref('int_cost__line_placed') }}
    union all
    select period_month, cost_line_id, cost_line_number, legal_entity, department_id, cost_category, pool_id, currency_code, line_kind, is_in_scope, is_in_force, is_roi_basis, cost_amount, -1 as side
    from {{ source('state', 'cost_line') }}
),

-- A line that came, went or changed, also because the watermark brought it into force.
changed_lines as (
    select period_month
    from cost_lines
    group by period_month, cost_line_id, cost_line_number, legal_entity, department_id, cost_category, pool_id, currency_code, line_kind, is_in_scope, is_in_force, is_roi_basis, cost_amount
    having sum(side) <> 0
),

touched as (
    select period_month from {{ source('state', 'touched_month') }}
    union
    select period_day.period_month from period_day inner join {{ source('state', 'touched_day') }} as touched_day on period_day.day = touched_day.day
    union
    select period_month from changed_days
    union
    select period_month from changed_lines
)

select period_month from touched where period_month is not null
