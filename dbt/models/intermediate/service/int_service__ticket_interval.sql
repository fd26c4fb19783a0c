{{ config(materialized='monthly') }}

-- A ticket's rows are all in the month in which it was created: a late event changes that month alone (docs/decisions/0037-ticket-clocks.md).
with tickets as (
    select
        placed.ticket_key, tickets.ticket_id, tickets.is_id_shared, placed.account_id, tickets.created_at, placed.created_date, placed.period_month,
        tickets.department_id, tickets.assignee_id
    from {{ rows_near('stg_tickets', 'created_at') }} as tickets
    inner join {{ rows_of('int_service__ticket_placed') }} as placed on {{ key_of('tickets', 'ticket_id') }} = placed.ticket_key
),

events as (
    select
        {{ of_named('tickets', 'ticket_key') }} as ticket_key,
        -- What an export dates before the creation happened with it.
        greatest(events.event_at, {{ of_named('tickets', 'created_at') }}) as event_at,
        events.event_number, events.event_type, events.actor_role, lower(events.new_value) as state_word,
        events.event_type in ('created', 'status_change', 'reopened', 'recovered', 'deleted', 'merged') as is_of_state,
        case when events.event_type = 'department_change' then coalesce(events.department_id, events.new_value) else events.department_id end as said_department_id,
        case when events.event_type = 'assignment' then coalesce(events.new_value, '') end as said_agent_id,
        case when events.event_type = 'blocked' then coalesce(events.blocked_reason, 'unknown') when events.event_type = 'unblocked' then '' end as said_blocked_reason,
        case when events.event_type = 'field_change' and events.field_name = 'schedule_id' then events.new_value end as said_schedule_id
    from {{ ref('stg_ticket_events') }} as events
    {{ left_join_named('tickets', 'tickets', 'ticket_key', 'events', 'ticket_id') }}
    where not events.is_deleted and events.is_overruled is not true and {{ of_named('tickets', 'ticket_key') }} is not null
),

stated as (
    select
        events.*,
        case
            when event_type = 'deleted' or (is_of_state and state_word = 'deleted') then 'deleted'
            when event_type = 'merged' or (is_of_state and state_word = 'merged') then 'merged'
            when event_type = 'recovered' and state_word is null then 'open'
            when event_type = 'created' and coalesce(state_word, '') not in ('new', 'open', 'pending', 'on_hold', 'solved', 'closed', 'resolved', 'spam') then 'new'
            when event_type = 'reopened' and state_word is null then 'open'
            when not is_of_state or state_word is null then null
            when state_word in ('new', 'open', 'pending', 'on_hold', 'solved', 'closed', 'spam') then state_word
            when state_word = 'resolved' then 'solved'
            when state_word in ('waiting on customer', 'waiting_on_customer') then 'pending'
            when state_word in ('hold', 'on-hold', 'on hold', 'waiting on third party') then 'on_hold'
            -- A state of the desk's own is work in progress.
            else 'open'
        end as said_state
    from events
    union all
    select ticket_key, created_at, -1, 'start', null, null, false, null, null, null, null, null
    from tickets
    where ticket_key in (select ticket_key from events)
),

known as (
    select ticket_key, max(event_at) as last_event_at, bool_or(said_state is not null) as has_states, bool_or(said_department_id is not null) as has_departments, bool_or(said_agent_id is not null) as has_agents
    from stated group by ticket_key
),

carried as (
    select
        stated.ticket_key, stated.event_at, stated.event_number,
        {% for name in ['state', 'department_id', 'agent_id', 'blocked_reason', 'schedule_id'] -%}
        {{ latest_known('stated.said_' ~ name, 'stated.ticket_key', 'stated.event_at, stated.event_number') }} as {{ name }},
        {% endfor -%}
        min(case when stated.event_type = 'info_rerequested' then stated.event_at end) over (partition by stated.ticket_key order by stated.event_at desc, stated.event_number desc rows between unbounded preceding and 1 preceding) as next_rerequest_at,
        min(case when stated.actor_role in ('agent', 'executive') then stated.event_at end) over (partition by stated.ticket_key order by stated.event_at desc, stated.event_number desc rows between unbounded preceding and 1 preceding) as next_action_at
    from stated
),

-- Of one instant the last row holds: what a desk writes as several changes of a second is one.
instants as (
    select
        carried.ticket_key, carried.event_at, carried.next_rerequest_at, carried.next_action_at, known.last_event_at,
        case when known.has_states then coalesce(carried.state, 'new') end as ticket_state,
        coalesce(carried.department_id, case when not known.has_departments then tickets.department_id end) as department_id,
        case when known.has_agents then nullif(carried.agent_id, '') else tickets.assignee_id end as agent_id,
        nullif(carried.blocked_reason, '') as blocked_reason,
        carried.schedule_id as named_schedule_id
    from (
        select * from carried
        qualify row_number() over (partition by ticket_key, event_at order by event_number desc) = 1
    ) as carried
    inner join known on carried.ticket_key = known.ticket_key
    inner join tickets on carried.ticket_key = tickets.ticket_key
),

compared as (
    select
        instants.*,
        coalesce(ticket_state, '') || '|' || coalesce(department_id, '') || '|' || coalesce(agent_id, '') || '|' || coalesce(blocked_reason, '') || '|' || coalesce(named_schedule_id, '') as holding
    from instants
),

changed as (
    select compared.*
    from compared
    qualify lag(holding) over (partition by ticket_key order by event_at) is distinct from holding
),

intervals as (
    select
        ticket_key, cast(row_number() over (partition by ticket_key order by event_at) as bigint) as interval_number, true as has_history,
        event_at as started_at, lead(event_at) over (partition by ticket_key order by event_at) as ended_at,
        coalesce(lead(event_at) over (partition by ticket_key order by event_at), last_event_at) as measured_until_at,
        ticket_state, department_id, agent_id, blocked_reason, named_schedule_id, next_rerequest_at, next_action_at
    from changed
    union all
    select ticket_key, 1, false, created_at as started_at, null, created_at as measured_until_at, null, department_id, assignee_id, null, null, null, null
    from tickets
    where ticket_key not in (select ticket_key from events)
),

entitlements as (
    select
        coalesce(accounts.surviving_account_id, entitlements.account_id) as account_id, entitlements.entitlement_id,
        entitlements.valid_from_date, entitlements.valid_to_date, entitlements.schedule_id, entitlements.response_target_minutes
    from {{ ref('stg_entitlements') }} as entitlements
    left join {{ ref('int_core__account_merged') }} as accounts on entitlements.account_id = accounts.account_id
    where not entitlements.is_deleted and entitlements.is_overruled is not true and entitlements.account_id is not null
),

entitled as (
    select tickets.ticket_key, entitlements.schedule_id, entitlements.response_target_minutes
    from tickets
    inner join entitlements on tickets.account_id = entitlements.account_id
    where tickets.created_date >= entitlements.valid_from_date and (entitlements.valid_to_date is null or tickets.created_date < entitlements.valid_to_date)
    qualify row_number() over (partition by tickets.ticket_key order by entitlements.valid_from_date desc, entitlements.entitlement_id) = 1
),

in_force as (
    select distinct schedule_id, utc_date from {{ ref('int_service__open_span') }} where is_in_force
),

scheduled as (
    select
        intervals.*, tickets.ticket_id, tickets.account_id, tickets.period_month, tickets.created_at,
        entitled.schedule_id as entitled_schedule_id, entitled.response_target_minutes,
        -- The one that the ticket names, the customer's right, the department's, the company's.
        coalesce(named.schedule_id, held.schedule_id, own.schedule_id, usual.schedule_id) as schedule_id
    from intervals
    inner join tickets on intervals.ticket_key = tickets.ticket_key
    left join entitled on intervals.ticket_key = entitled.ticket_key
    {% for name, schedule in {'named': 'intervals.named_schedule_id', 'held': 'entitled.schedule_id', 'own': 'intervals.department_id', 'usual': "'default'"}.items() -%}
    left join in_force as {{ name }} on {{ schedule }} = {{ name }}.schedule_id and {{ business_date('intervals.started_at', "'UTC'") }} = {{ name }}.utc_date
    {% endfor %}
),

opened as (
    select
        sides.ticket_key, sides.interval_number,
        max(case when sides.is_start then {{ opened_seconds('spans', 'sides.instant') }} end) as opened_before_seconds,
        max(case when not sides.is_start then {{ opened_seconds('spans', 'sides.instant') }} end) as opened_until_seconds
    from (
        select ticket_key, interval_number, schedule_id, true as is_start, started_at as instant from scheduled where schedule_id is not null
        union all
        select ticket_key, interval_number, schedule_id, false, measured_until_at from scheduled where schedule_id is not null
    ) as sides
    inner join {{ ref('int_service__open_span') }} as spans on sides.schedule_id = spans.schedule_id and {{ business_date('sides.instant', "'UTC'") }} = spans.utc_date
    group by sides.ticket_key, sides.interval_number
),

measured as (
    select
        scheduled.*, opened.opened_before_seconds,
        {{ elapsed_seconds('scheduled.started_at', 'scheduled.measured_until_at') }} as calendar_seconds,
        opened.opened_until_seconds - opened.opened_before_seconds as business_seconds
    from scheduled
    left join opened on scheduled.ticket_key = opened.ticket_key and scheduled.interval_number = opened.interval_number
),

ticket_interval as (
    select
        measured.*,
        -- Unknown as soon as one interval before has no schedule.
        case
            when interval_number - 1 = count(business_seconds) over (partition by ticket_key order by interval_number rows between unbounded preceding and 1 preceding)
                then coalesce(cast(sum(business_seconds) over (partition by ticket_key order by interval_number rows between unbounded preceding and 1 preceding) as bigint), 0)
        end as business_before_seconds
    from measured
)

select * from ticket_interval
