{{ config(materialized='monthly') }}

with objects as (
    select * from {{ rows_of('int_cost__object_weighted') }} as objects where object_kind <> 'unallocated'
),

lines as (
    select cost_line_number, period_month, coalesce(department_id, '') as department_key, {{ minor_units('cost_amount', 'currency_decimals') }} as line_minor
    from {{ rows_of('int_cost__line_placed') }} as lines
    where is_roi_basis and cost_amount is not null
),

-- Every object is there once for the lines shared by all departments (key '') and once for those of its own.
candidates as (
    select object_number, period_month, '' as department_key, driver_count, month_place as place from objects
    union all
    select object_number, period_month, department_id as department_key, driver_count, department_place as place from objects where department_id <> ''
),

weight_classes as (
    select period_month, department_key, driver_count, count(*) as object_count from candidates group by period_month, department_key, driver_count
),

shares as (
    select lines.cost_line_number, lines.line_minor, weight_classes.*
    from lines
    inner join weight_classes on lines.period_month = weight_classes.period_month and lines.department_key = weight_classes.department_key
),

handed as (
    {{ largest_remainder('shares', 'cost_line_number', 'line_minor', 'driver_count', 'driver_count', 'object_count') }}
),

to_objects as (
    select
        candidates.period_month,
        handed.cost_line_number,
        candidates.object_number,
        handed.base_minor + case when candidates.place <= handed.bonus_count then handed.bonus_minor else 0 end as cost_minor
    from candidates
    inner join handed
        on candidates.period_month = handed.period_month
        and candidates.department_key = handed.department_key
        and candidates.driver_count = handed.driver_count
),

-- A line whose objects have no weight at all keeps its cost in sight.
left_over as (
    select lines.period_month, lines.cost_line_number, objects.object_number, lines.line_minor as cost_minor
    from lines
    inner join {{ ref('int_cost__object_weighted') }} as objects on lines.period_month = objects.period_month and objects.object_kind = 'unallocated'
    where not exists (select 1 from handed where handed.cost_line_number = lines.cost_line_number)
),

allocated as (
    select * from to_objects where cost_minor <> 0
    union all
    select * from left_over where cost_minor <> 0
)

select * from allocated
