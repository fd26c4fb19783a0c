-- Cost lines, their allocation to tickets and interactions by largest remainder in whole cents, and the marts about cost.
create table marts.fct_cost_line as
select
    row_number() over (order by cost_line_id, period_month) as cost_line_number, *,
    is_in_scope and (cost_source = 'ledger' or (not has_ledger and is_version_in_force)) as is_roi_basis
from (
    select
        'ledger|' || journal_id || '|' || line_number as cost_line_id, 'ledger' as cost_source, null as budget_version_id, legal_entity, cost_centre, department_id, site_id,
        (fiscal_period || '-01')::date as period_month, fiscal_period, cost_category, pool_id, gl_account, ledger_amount as cost_amount, currency_code,
        cost_behaviour, traceability, recurrence, is_in_scope, scope_reason, true as has_ledger, false as is_version_in_force
    from ledger_actuals
    union all
    select
        'budget|' || budget_version_id || '|' || line_id, 'budget', budget_version_id, legal_entity, cost_centre, department_id, site_id,
        (b.fiscal_period || '-01')::date, b.fiscal_period, cost_category, pool_id, gl_account, budget_amount, currency_code,
        cost_behaviour, traceability, recurrence, is_in_scope, scope_reason,
        l.fiscal_period is not null,
        budget_version_id = first(budget_version_id) over (partition by b.fiscal_period order by version_effective_at desc, budget_version_id desc)
    from budgets as b left join (select distinct fiscal_period from ledger_actuals) as l on b.fiscal_period = l.fiscal_period
    where version_effective_at::date <= (select as_of_date from as_of) and (b.fiscal_period || '-01')::date <= (select as_of_date from as_of)
);

create temp table work_unit as
with handled as (select * from marts.fct_interaction where is_handled),
measured as (
    select surviving_ticket_id, count(handle_seconds) as measured_count from handled where surviving_ticket_id is not null group by 1
),
own_work as (
    select t.work_period_month as period_month, t.surviving_ticket_id, sum(t.handle_seconds)::bigint as known_seconds
    from marts.fct_ticket as t left join measured as m on t.surviving_ticket_id = m.surviving_ticket_id
    where coalesce(m.measured_count, 0) = 0 and (t.handle_seconds is not null or (m.surviving_ticket_id is null and t.surviving_ticket_id = t.ticket_id))
    group by 1, 2
),
units as (
    select period_month, 'interaction' as unit_kind, interaction_id as unit_id, surviving_ticket_id as ticket_id, account_id, department_id, channel,
        handle_seconds as known_seconds, 'measured' as known_source
    from handled
    union all
    select o.period_month, 'ticket_work', o.surviving_ticket_id, o.surviving_ticket_id, t.account_id, t.department_id, t.channel, o.known_seconds, 'reported'
    from own_work as o inner join marts.fct_ticket as t on o.surviving_ticket_id = t.ticket_id
),
standard as (select period_month, channel, floor(avg(known_seconds))::bigint as standard_seconds from units group by 1, 2)
select
    u.period_month, u.unit_kind, u.unit_id, u.ticket_id, u.account_id, u.department_id, u.channel, coalesce(u.known_seconds, s.standard_seconds, 1) as driver_count,
    case when u.known_seconds is not null then u.known_source when s.standard_seconds is not null then 'standard' else 'equal' end as handle_time_source
from units as u inner join standard as s on u.period_month = s.period_month and u.channel = s.channel;

create temp table cost_object as
select *, row_number() over (order by period_month, object_kind, object_id) as object_number
from (
    select w.period_month, 'ticket' as object_kind, w.ticket_id as object_id, w.ticket_id, any_value(t.account_id) as account_id, any_value(t.department_id) as department_id,
        any_value(t.channel) as channel, sum(w.driver_count)::bigint as driver_count, max(w.handle_time_source) as handle_time_source, count(*) as unit_count
    from work_unit as w inner join marts.fct_ticket as t on w.ticket_id = t.ticket_id
    group by w.period_month, w.ticket_id
    union all
    select period_month, 'interaction', unit_id, null, account_id, department_id, channel, driver_count, handle_time_source, 1 from work_unit where ticket_id is null
);

-- Equal weights have equal quotients and remainders, so a line is divided over weight classes; the first of a class by key get the odd cents.
create temp table object_allocated as
with candidates as (
    select object_number, period_month, '' as department_key, driver_count,
        row_number() over (partition by period_month, driver_count order by object_id, object_kind) as place from cost_object
    union all
    select object_number, period_month, department_id, driver_count,
        row_number() over (partition by period_month, department_id, driver_count order by object_id, object_kind) from cost_object
),
classes as (
    select period_month, department_key, driver_count, count(*) as members, sum(driver_count * count(*)) over (partition by period_month, department_key)::hugeint as weight
    from candidates group by period_month, department_key, driver_count
),
divided as (
    select l.cost_line_number, (l.cost_amount * 100)::bigint as minor, sign(l.cost_amount) as sign, c.*,
        (abs((l.cost_amount * 100)::bigint)::hugeint * c.driver_count) // c.weight as floor_minor, (abs((l.cost_amount * 100)::bigint)::hugeint * c.driver_count) % c.weight as remainder
    from marts.fct_cost_line as l inner join classes as c on l.period_month = c.period_month and coalesce(l.department_id, '') = c.department_key
    where l.is_roi_basis
),
handed as (
    select *, abs(minor) - sum(floor_minor * members) over (partition by cost_line_number)
        - (sum(members) over (partition by cost_line_number order by remainder desc, driver_count desc) - members) as left_minor
    from divided
)
select h.cost_line_number, c.object_number, (h.sign * (h.floor_minor + (c.place <= h.left_minor)::int))::bigint as cost_minor
from candidates as c
inner join handed as h on c.period_month = h.period_month and c.department_key = h.department_key and c.driver_count = h.driver_count
where h.floor_minor + (c.place <= h.left_minor)::int > 0;

create temp table unit_allocated as
with units as (
    select o.object_number, o.unit_count, o.driver_count as weight, w.unit_kind, w.unit_id, w.channel, w.driver_count, w.handle_time_source
    from work_unit as w inner join cost_object as o on w.period_month = o.period_month and coalesce(w.ticket_id, w.unit_id) = o.object_id
        and o.object_kind = case when w.ticket_id is null then 'interaction' else 'ticket' end
),
divided as (
    select a.cost_line_number, a.object_number, a.cost_minor, u.*,
        (abs(a.cost_minor)::hugeint * u.driver_count) // greatest(u.weight, 1) as floor_minor, (abs(a.cost_minor)::hugeint * u.driver_count) % greatest(u.weight, 1) as remainder
    from object_allocated as a inner join units as u on a.object_number = u.object_number and u.unit_count > 1
),
handed as (
    select *, abs(cost_minor) - sum(floor_minor) over (partition by cost_line_number, object_number) as left_minor,
        row_number() over (partition by cost_line_number, object_number order by remainder desc, driver_count desc, unit_id) as place
    from divided
)
select cost_line_number, object_number, unit_kind, unit_id, channel, driver_count, handle_time_source, (sign(cost_minor) * (floor_minor + (place <= left_minor)::int))::bigint as cost_minor
from handed where floor_minor + (place <= left_minor)::int > 0
union all
select a.cost_line_number, a.object_number, u.unit_kind, u.unit_id, u.channel, u.driver_count, u.handle_time_source, a.cost_minor
from object_allocated as a inner join units as u on a.object_number = u.object_number and u.unit_count = 1;

drop table work_unit;
