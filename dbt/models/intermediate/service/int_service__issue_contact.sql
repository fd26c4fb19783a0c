{{ config(materialized='monthly') }}

-- Contacts of customers, tries that nobody answered, and other work on their tickets, each with the cost of its month. What chains them is in
-- int_service__issue_contact_numbered, which each run builds completely (docs/decisions/0038-issue-chains.md).
with months as (
    select
        period_month,
        case when bool_or(is_roi_basis and cost_amount is null) then 'fx_missing' when not bool_or(is_roi_basis) then 'source_absent' end as cost_null_reason,
        bool_or(is_roi_basis and cost_source = 'budget') as is_provisional
    from {{ rows_of('int_cost__line_placed') }} as lines
    group by period_month
),

unit_costs as (
    select units.period_month, units.unit_kind, units.unit_key, cast(sum(allocated.cost_minor) as bigint) as cost_minor
    from {{ rows_of('int_cost__unit_allocated') }} as allocated
    inner join {{ rows_of('int_cost__unit_weighted') }} as units on allocated.period_month = units.period_month and allocated.unit_number = units.unit_number
    group by units.period_month, units.unit_kind, units.unit_key
),

-- A follow-up is about what its first ticket was about.
tickets as (
    select
        placed.ticket_key, placed.account_id, placed.channel, placed.department_id, placed.period_month, placed.solved_at,
        own.contact_id, own.created_at, firsts.issue_family, placed.is_surviving_deleted,
        placed.ticket_state in ('solved', 'closed') and instr(',' || watermark.unsolved_resolution_codes || ',', ',' || coalesce(own.resolution_code, '?') || ',') = 0 as is_solved,
        coalesce(own.reopen_count, 0) > 0 as is_reopened
    from {{ ref('int_service__ticket_placed') }} as placed
    cross join {{ ref('int_core__watermark') }} as watermark
    inner join {{ ref('stg_tickets') }} as own on placed.ticket_key = {{ key_of('own', 'ticket_id') }}
    left join {{ ref('int_service__ticket_follow_up') }} as followed on placed.ticket_key = followed.ticket_key
    inner join {{ ref('stg_tickets') }} as firsts on coalesce(followed.first_ticket_key, placed.ticket_key) = {{ key_of('firsts', 'ticket_id') }}
    where placed.surviving_ticket_key = placed.ticket_key
),

answered as (
    select distinct placed.surviving_ticket_key
    from {{ ref('int_service__interaction_placed') }} as placed
    inner join {{ ref('stg_interactions') }} as interactions on placed.interaction_key = {{ key_of('interactions', 'interaction_id') }}
    where
        placed.is_costed and interactions.direction = 'in'
        and placed.surviving_ticket_key in (select affected.surviving_ticket_key from {{ rows_of('int_service__ticket_placed') }} as affected)
),

events as (
    select
        placed.period_month, 'interaction ' || placed.interaction_key as contact_key, placed.interaction_key, interactions.interaction_id,
        placed.surviving_ticket_key as ticket_key, placed.account_id, coalesce(interactions.contact_id, tickets.contact_id) as contact_id, tickets.issue_family,
        placed.channel, placed.department_id,
        coalesce(
            coalesce(interactions.transferred_from_department_id, placed.department_id) <> coalesce(interactions.transferred_to_department_id, placed.department_id), false
        ) as is_between_departments,
        tickets.is_solved, tickets.is_reopened,
        interactions.direction = 'in' and placed.is_costed as is_contact,
        interactions.direction = 'in' as is_try,
        interactions.started_at,
        case when interactions.ended_at > interactions.started_at then interactions.ended_at else interactions.started_at end as ended_at,
        'interaction' as unit_kind, placed.interaction_key as unit_key
    from {{ rows_near('stg_interactions', 'started_at') }} as interactions
    inner join {{ rows_of('int_service__interaction_placed') }} as placed on {{ key_of('interactions', 'interaction_id') }} = placed.interaction_key
    left join tickets on placed.surviving_ticket_key = tickets.ticket_key
    where placed.is_counted and (interactions.direction = 'in' or (placed.is_costed and placed.surviving_ticket_key is not null))
    union all
    -- A ticket that no answered contact tells of is a contact itself.
    select
        tickets.period_month, 'ticket ' || tickets.ticket_key, cast(null as string), cast(null as string), tickets.ticket_key, tickets.account_id,
        tickets.contact_id, tickets.issue_family, tickets.channel, tickets.department_id, false, tickets.is_solved, tickets.is_reopened, true, true,
        tickets.created_at, case when tickets.solved_at > tickets.created_at then tickets.solved_at else tickets.created_at end, 'none', cast(null as string)
    from {{ rows_of('int_service__ticket_placed') }} as placed
    inner join tickets on placed.ticket_key = tickets.ticket_key
    left join answered on tickets.ticket_key = answered.surviving_ticket_key
    where answered.surviving_ticket_key is null and not tickets.is_surviving_deleted
    union all
    -- Work on a ticket outside its contacts, when it was done.
    select
        units.period_month, 'work ' || cast(units.period_month as string) || ' ' || tickets.ticket_key, cast(null as string), cast(null as string), tickets.ticket_key, tickets.account_id,
        tickets.contact_id, tickets.issue_family, tickets.channel, tickets.department_id, false, tickets.is_solved, tickets.is_reopened, false, false,
        coalesce(tickets.solved_at, tickets.created_at), coalesce(tickets.solved_at, tickets.created_at), 'ticket_work', units.unit_key
    from {{ rows_of('int_cost__unit_weighted') }} as units
    inner join tickets on units.unit_key = tickets.ticket_key
    where units.unit_kind = 'ticket_work'
),

issue_contact as (
    select
        events.*,
        {{ customer_key('events') }} as customer_key,
        {{ business_date('events.started_at', 'watermark.company_time_zone') }} as started_date,
        {{ business_date('events.ended_at', 'watermark.company_time_zone') }} as ended_date,
        case when months.period_month is null then 'source_absent' else months.cost_null_reason end as cost_null_reason,
        case when months.period_month is not null and months.cost_null_reason is null then coalesce(unit_costs.cost_minor, 0) end as cost_minor,
        coalesce(months.is_provisional, false) as is_provisional
    from events
    cross join {{ ref('int_core__watermark') }} as watermark
    left join months on events.period_month = months.period_month
    left join unit_costs on events.period_month = unit_costs.period_month and events.unit_kind = unit_costs.unit_kind and events.unit_key = unit_costs.unit_key
    where events.account_id <> 'NON_CUSTOMER'
)

select * from issue_contact
