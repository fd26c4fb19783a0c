{{ config(materialized='monthly') }}

with allocated as (
    select * from {{ rows_of('int_cost__object_allocated') }} as objects
),

units as (
    select
        period_month, object_number, unit_number, unit_count, unit_place, driver_count, object_driver_count,
        case when unit_kind = 'interaction' and channel = 'phone' then 1 else 0 end as call_count
    from {{ rows_of('int_cost__unit_weighted') }} as units
),

-- Pool of the second level: what one line gave to one ticket. Most tickets have one to three units, so the sort of the
-- general method is kept for the few with more: with all weights of a ticket in one row, the rank is a comparison.
small_tickets as (
    select
        object_number,
        max(case when unit_place = 1 then driver_count else 0 end) as weight_1,
        max(case when unit_place = 2 then driver_count else 0 end) as weight_2,
        max(case when unit_place = 3 then driver_count else 0 end) as weight_3
    from units
    where unit_count in (2, 3) and object_driver_count between 1 and {{ narrow_limit() }}
    group by object_number
),

small_shares as (
    select
        allocated.period_month,
        allocated.cost_line_number,
        units.unit_number,
        units.unit_place,
        {{ direction('allocated.cost_minor') }} as cost_sign,
        units.object_driver_count as weight_total,
        abs(allocated.cost_minor) * small_tickets.weight_1 as product_1,
        abs(allocated.cost_minor) * small_tickets.weight_2 as product_2,
        abs(allocated.cost_minor) * small_tickets.weight_3 as product_3
    from allocated
    inner join units on allocated.object_number = units.object_number
    inner join small_tickets on units.object_number = small_tickets.object_number
    where abs(allocated.cost_minor) <= {{ narrow_limit() }} and allocated.is_by_calls is not true
),

small_remainders as (
    select
        small_shares.*,
        product_1 % weight_total as remainder_1,
        product_2 % weight_total as remainder_2,
        product_3 % weight_total as remainder_3
    from small_shares
),

small_handed as (
    select
        period_month,
        cost_line_number,
        unit_number,
        cast(cost_sign * (
            {{ integer_quotient('case unit_place when 1 then product_1 when 2 then product_2 else product_3 end', 'weight_total') }}
            + case
                when case unit_place
                    when 1 then case when remainder_2 > remainder_1 then 1 else 0 end + case when remainder_3 > remainder_1 then 1 else 0 end
                    when 2 then case when remainder_1 >= remainder_2 then 1 else 0 end + case when remainder_3 > remainder_2 then 1 else 0 end
                    else case when remainder_1 >= remainder_3 then 1 else 0 end + case when remainder_2 >= remainder_3 then 1 else 0 end
                end < {{ integer_quotient('remainder_1 + remainder_2 + remainder_3', 'weight_total') }} then 1
                else 0
            end
        ) as bigint) as cost_minor
    from small_remainders
),

large_shares as (
    select
        allocated.period_month,
        allocated.cost_line_number,
        allocated.object_number,
        units.unit_number,
        units.unit_place,
        allocated.cost_minor,
        units.driver_count,
        units.object_driver_count
    from allocated
    inner join units on allocated.object_number = units.object_number
    where
        allocated.is_by_calls is not true
        and (
            units.unit_count > 3
            or (units.unit_count > 1 and (units.object_driver_count > {{ narrow_limit() }} or abs(allocated.cost_minor) > {{ narrow_limit() }}))
        )
),

large_handed as (
    {{ largest_remainder('large_shares', 'cost_line_number, divided.object_number', 'cost_minor', 'driver_count', 'unit_place', total='object_driver_count') }}
),

-- A line of calls goes to the calls of the ticket alone, the same to each.
call_shares as (
    select
        allocated.period_month, allocated.cost_line_number, allocated.object_number, units.unit_number, units.unit_place, allocated.cost_minor, units.call_count,
        cast(sum(units.call_count) over (partition by allocated.cost_line_number, allocated.object_number) as bigint) as object_call_count
    from allocated
    inner join units on allocated.object_number = units.object_number
    where allocated.is_by_calls and units.unit_count > 1
),

call_handed as (
    {{ largest_remainder('call_shares', 'cost_line_number, divided.object_number', 'cost_minor', 'call_count', 'unit_place', total='object_call_count') }}
),

unit_allocated as (
    select allocated.period_month, allocated.cost_line_number, units.unit_number, allocated.cost_minor
    from allocated
    inner join units on allocated.object_number = units.object_number
    where units.unit_count = 1
    union all
    select period_month, cost_line_number, unit_number, cost_minor from small_handed where cost_minor <> 0
    union all
    select period_month, cost_line_number, unit_number, base_minor + bonus_minor * bonus_count as cost_minor
    from large_handed
    where base_minor + bonus_minor * bonus_count <> 0
    union all
    select period_month, cost_line_number, unit_number, base_minor + bonus_minor * bonus_count as cost_minor
    from call_handed
    where base_minor + bonus_minor * bonus_count <> 0
)

select * from unit_allocated
