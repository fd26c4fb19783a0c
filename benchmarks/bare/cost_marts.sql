-- The published tables about cost.
create table marts.mart_cost_allocation_ticket as
select o.period_month, l.cost_line_id, o.object_kind, o.object_id, o.ticket_id, o.account_id, o.department_id, o.channel, l.cost_category,
    'handle_seconds' as driver, o.driver_count, o.handle_time_source, (a.cost_minor * 0.01)::decimal(18, 2) as cost_amount, l.currency_code
from object_allocated as a
inner join cost_object as o on a.object_number = o.object_number
inner join marts.fct_cost_line as l on a.cost_line_number = l.cost_line_number;

create table marts.mart_cost_allocation_interaction as
select o.period_month, l.cost_line_id, u.unit_kind as object_kind, u.unit_id as object_id, o.ticket_id,
    case when u.unit_kind = 'interaction' then u.unit_id end as interaction_id, o.account_id, o.department_id, u.channel, l.cost_category,
    'handle_seconds' as driver, u.driver_count, u.handle_time_source, (u.cost_minor * 0.01)::decimal(18, 2) as cost_amount, l.currency_code
from unit_allocated as u
inner join cost_object as o on u.object_number = o.object_number
inner join marts.fct_cost_line as l on u.cost_line_number = l.cost_line_number;

create temp table month_cost as select period_month, sum(cost_amount) as cost_amount from marts.fct_cost_line where is_roi_basis group by 1;

create temp table channel_cost as
select o.period_month, u.channel, u.unit_kind, sum(u.cost_minor) * 0.01 as cost_amount
from unit_allocated as u inner join cost_object as o on u.object_number = o.object_number group by 1, 2, 3;

create table marts.mart_cost_per_unit as
with volumes as (
    select solved_period_month as period_month, 'ticket_closed' as unit_kind, 'all' as channel, count(*) as volume_count
    from marts.fct_ticket where solved_period_month is not null and ticket_state in ('solved', 'closed') group by 1
    union all select period_month, 'ticket_created', 'all', count(*) from marts.fct_ticket where ticket_state not in ('spam', 'merged') group by 1
    union all select period_month, 'call', 'phone', count(*) from marts.fct_interaction where is_handled and channel = 'phone' group by 1
    union all select period_month, 'interaction', 'all', count(*) from marts.fct_interaction where is_handled group by 1
    union all select period_month, 'interaction', channel, count(*) from marts.fct_interaction where is_handled group by 1, 3
    union all select period_month, 'sales_unit', 'all', sum(quantity)::bigint from marts.fct_order_line_net where is_counted and is_gross_sale group by 1
),
costs as (
    select period_month, 'all' as channel, cost_amount from month_cost
    union all select period_month, channel, sum(cost_amount) from channel_cost where unit_kind = 'interaction' group by 1, 2
)
select v.period_month, v.unit_kind, v.channel, c.cost_amount, v.volume_count, round(c.cost_amount / nullif(v.volume_count, 0), 4)::decimal(18, 4) as unit_cost_amount, 'EUR' as currency_code
from volumes as v inner join costs as c on v.period_month = c.period_month and v.channel = c.channel;

create table marts.mart_cost_reconciliation as
with allocated as (
    select a.cost_line_number, sum(a.cost_minor) as minor, sum(a.cost_minor) filter (o.account_id = 'NON_CUSTOMER') as non_customer_minor
    from object_allocated as a inner join cost_object as o on a.object_number = o.object_number group by 1
)
select l.period_month, l.legal_entity, l.cost_category, l.pool_id, sum(l.cost_amount) filter (l.is_roi_basis) as ledger_amount,
    sum(l.cost_amount) filter (not l.is_in_scope) as out_of_scope_amount, sum(a.minor) * 0.01 as allocated_amount, sum(a.non_customer_minor) * 0.01 as non_customer_amount,
    coalesce(sum(l.cost_amount) filter (l.is_roi_basis), 0) - coalesce(sum(a.minor) * 0.01, 0) as difference_amount
from marts.fct_cost_line as l left join allocated as a on l.cost_line_number = a.cost_line_number
where l.cost_source = 'ledger' group by 1, 2, 3, 4;

drop table unit_allocated;
