{{ config(materialized='monthly') }}

with objects as (
    select * from {{ rows_of('int_cost__object_weighted') }} as objects where object_kind <> 'unallocated'
),

-- A line of seats that names its department has nothing to share out by seats; sessions are of no department.
lines as (
    select
        cost_line_number, period_month,
        case when driver in ('calls', 'sessions') or (driver = 'seats' and department_id is null) then driver else 'time' end as driver,
        case when driver = 'sessions' then '' else coalesce(department_id, '') end as department_key,
        {{ minor_units('cost_amount', 'currency_decimals') }} as line_minor
    from {{ rows_of('int_cost__line_placed') }} as lines
    where is_roi_basis and cost_amount is not null
),

driven as (
    select distinct period_month, driver from lines where driver <> 'time'
),

-- Seats share a line out to departments first; in each it goes by time.
seats as (
    select lines.cost_line_number, lines.period_month, lines.line_minor, departments.department_key, departments.seat_count
    from lines
    inner join (
        select period_month, coalesce(department_id, '') as department_key, max(seat_count) as seat_count from objects where seat_count > 0 group by period_month, coalesce(department_id, '')
    ) as departments on lines.period_month = departments.period_month
    where lines.driver = 'seats'
),

handed_seats as (
    {{ largest_remainder('seats', 'cost_line_number', 'line_minor', 'seat_count', 'department_key') }}
),

pools as (
    select cost_line_number as pool_number, cost_line_number, period_month, driver, department_key, line_minor as pool_minor from lines where driver <> 'seats'
    union all
    select
        -cast(row_number() over (order by cost_line_number, department_key) as bigint) as pool_number, cost_line_number, period_month, 'seats' as driver, department_key,
        base_minor + bonus_minor * bonus_count as pool_minor
    from handed_seats
),

-- Calls and sessions of the objects, for the months with such a line.
counted as (
    select objects.period_month, objects.object_number, driven.driver, objects.department_id, case driven.driver when 'calls' then objects.call_count else objects.session_count end as driver_count
    from objects
    inner join driven on objects.period_month = driven.period_month and driven.driver in ('calls', 'sessions')
    where case driven.driver when 'calls' then objects.call_count else objects.session_count end > 0
),

counted_objects as (
    select object_number, period_month, driver, '' as department_key, driver_count from counted
    union all
    select object_number, period_month, driver, department_id as department_key, driver_count from counted where department_id <> ''
),

-- Every object is there once for the lines shared by all departments (key '') and once for those of its own.
candidates as (
    select object_number, period_month, 'time' as driver, '' as department_key, driver_count, month_place as place from objects where object_kind <> 'self_service'
    union all
    select object_number, period_month, 'time' as driver, department_id as department_key, driver_count, department_place as place from objects where department_id <> ''
    union all
    select objects.object_number, objects.period_month, driven.driver, coalesce(objects.department_id, '') as department_key, objects.driver_count, objects.department_place as place
    from objects
    inner join driven on objects.period_month = driven.period_month and driven.driver = 'seats'
    where objects.seat_count > 0
    union all
    select
        object_number, period_month, driver, department_key, driver_count,
        cast(row_number() over (partition by period_month, driver, department_key, driver_count order by object_number) as bigint) as place
    from counted_objects
),

weight_classes as (
    select period_month, driver, department_key, driver_count, count(*) as object_count from candidates group by period_month, driver, department_key, driver_count
),

shares as (
    select pools.pool_number, pools.cost_line_number, pools.pool_minor, weight_classes.*
    from pools
    inner join weight_classes on pools.period_month = weight_classes.period_month and pools.driver = weight_classes.driver and pools.department_key = weight_classes.department_key
),

handed as (
    {{ largest_remainder('shares', 'pool_number', 'pool_minor', 'driver_count', 'driver_count', 'object_count') }}
),

to_objects as (
    select
        candidates.period_month,
        handed.cost_line_number,
        candidates.object_number,
        handed.base_minor + case when candidates.place <= handed.bonus_count then handed.bonus_minor else 0 end as cost_minor,
        handed.driver = 'calls' as is_by_calls
    from candidates
    inner join handed
        on candidates.period_month = handed.period_month
        and candidates.driver = handed.driver
        and candidates.department_key = handed.department_key
        and candidates.driver_count = handed.driver_count
),

-- A line whose objects have no weight at all keeps its cost in sight; of a line of seats, the part of such a department.
without_weight as (
    select period_month, cost_line_number, pool_minor from pools where not exists (select 1 from handed where handed.pool_number = pools.pool_number)
    union all
    select period_month, cost_line_number, line_minor from lines where driver = 'seats' and not exists (select 1 from handed_seats where handed_seats.cost_line_number = lines.cost_line_number)
),

left_over as (
    select remaining.period_month, remaining.cost_line_number, objects.object_number, cast(sum(remaining.pool_minor) as bigint) as cost_minor, false as is_by_calls
    from without_weight as remaining
    inner join {{ ref('int_cost__object_weighted') }} as objects on remaining.period_month = objects.period_month and objects.object_kind = 'unallocated'
    group by remaining.period_month, remaining.cost_line_number, objects.object_number
),

allocated as (
    select * from to_objects where cost_minor <> 0
    union all
    select * from left_over where cost_minor <> 0
)

select * from allocated
