-- Breaks: a cent is lost or made. Every cost line of the basis must come out whole on both levels of the allocation,
-- and what a ticket got must be what its parts got.
with lines as (
    select period_month, cost_line_id, cost_amount from {{ ref('fct_cost_line') }} where is_roi_basis and cost_amount is not null
),

on_tickets as (
    select period_month, cost_line_id, sum(cost_amount) as cost_amount from {{ ref('mart_cost_allocation_ticket') }} group by period_month, cost_line_id
),

on_interactions as (
    select period_month, cost_line_id, sum(cost_amount) as cost_amount from {{ ref('mart_cost_allocation_interaction') }} group by period_month, cost_line_id
),

objects as (
    select object_number, sum(cost_minor) as cost_minor from {{ ref('int_cost__object_allocated') }} group by object_number
),

parts as (
    select units.object_number, sum(allocated.cost_minor) as cost_minor
    from {{ ref('int_cost__unit_allocated') }} as allocated
    inner join {{ ref('int_cost__unit_weighted') }} as units on allocated.unit_number = units.unit_number
    group by units.object_number
)

select 'ticket level' as broken, coalesce(lines.cost_line_id, on_tickets.cost_line_id) as cost_line_id
from lines
full outer join on_tickets on lines.period_month = on_tickets.period_month and lines.cost_line_id = on_tickets.cost_line_id
where coalesce(lines.cost_amount, 0) <> coalesce(on_tickets.cost_amount, 0)
union all
select 'interaction level' as broken, coalesce(lines.cost_line_id, on_interactions.cost_line_id) as cost_line_id
from lines
full outer join on_interactions on lines.period_month = on_interactions.period_month and lines.cost_line_id = on_interactions.cost_line_id
where coalesce(lines.cost_amount, 0) <> coalesce(on_interactions.cost_amount, 0)
union all
select 'parts of a ticket' as broken, cast(coalesce(objects.object_number, parts.object_number) as string) as cost_line_id
from objects
full outer join parts on objects.object_number = parts.object_number
where coalesce(objects.cost_minor, 0) <> coalesce(parts.cost_minor, 0)
