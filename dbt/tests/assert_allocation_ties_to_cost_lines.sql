{{ config(tags=['gate']) }}
-- Breaks: a cent is lost or made. Every cost line of the basis must come out completely on both levels of the allocation, what a
-- ticket got must be what its parts got, and the published tables must hold every row of the allocation.
with lines as (
    select cost_line_number, {{ minor_units('cost_amount', 'currency_decimals') }} as cost_minor from {{ ref('int_cost__line_placed') }} where is_roi_basis and cost_amount is not null and {{ affected() }}
),

on_objects as (
    select cost_line_number, sum(cost_minor) as cost_minor from {{ ref('int_cost__object_allocated') }} where {{ affected() }} group by cost_line_number
),

on_units as (
    select cost_line_number, sum(cost_minor) as cost_minor from {{ ref('int_cost__unit_allocated') }} where {{ affected() }} group by cost_line_number
),

objects as (
    select object_number, sum(cost_minor) as cost_minor from {{ ref('int_cost__object_allocated') }} where {{ affected() }} group by object_number
),

parts as (
    select units.object_number, sum(allocated.cost_minor) as cost_minor
    from {{ ref('int_cost__unit_allocated') }} as allocated
    inner join {{ ref('int_cost__unit_weighted') }} as units on allocated.unit_number = units.unit_number
    where {{ affected('allocated.period_month') }} and {{ affected('units.period_month') }}
    group by units.object_number
),

row_counts as (
    select
        (select count(*) from {{ ref('int_cost__object_allocated') }} where {{ affected() }}) - (select count(*) from {{ ref('mart_cost_allocation_ticket') }} where {{ affected() }}) as ticket_rows,
        (select count(*) from {{ ref('int_cost__unit_allocated') }} where {{ affected() }}) - (select count(*) from {{ ref('mart_cost_allocation_interaction') }} where {{ affected() }}) as interaction_rows
)

select 'first level' as broken, coalesce(lines.cost_line_number, on_objects.cost_line_number) as row_number
from lines
full outer join on_objects on lines.cost_line_number = on_objects.cost_line_number
where coalesce(lines.cost_minor, 0) <> coalesce(on_objects.cost_minor, 0)
union all
select 'second level' as broken, coalesce(lines.cost_line_number, on_units.cost_line_number) as row_number
from lines
full outer join on_units on lines.cost_line_number = on_units.cost_line_number
where coalesce(lines.cost_minor, 0) <> coalesce(on_units.cost_minor, 0)
union all
select 'parts of a ticket' as broken, coalesce(objects.object_number, parts.object_number) as row_number
from objects
full outer join parts on objects.object_number = parts.object_number
where coalesce(objects.cost_minor, 0) <> coalesce(parts.cost_minor, 0)
union all
select 'published rows' as broken, ticket_rows as row_number
from row_counts
where ticket_rows <> 0 or interaction_rows <> 0
