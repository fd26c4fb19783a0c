{{ config(materialized='monthly') }}

with agent_time as (
    select
        agent_id,
        work_date,
        {%- for state in ['talk', 'hold', 'wrap', 'chat', 'case_work', 'available', 'break', 'training', 'meeting', 'absence'] %}
        cast(sum(case when agent_state = '{{ state }}' then state_seconds else 0 end) as bigint) as {{ state }}_seconds,
        {%- endfor %}
        cast(sum(coalesce(overtime_seconds, 0)) as bigint) as overtime_seconds,
        cast(sum(state_seconds) as bigint) as paid_seconds
    from {{ rows_near('stg_agent_time', 'work_date') }} as agent_time
    where not is_deleted and is_overruled is not true
    group by agent_id, work_date
),

-- What an agent answered was work, also where its ticket was deleted later.
contacts as (
    select
        interactions.agent_id, placed.started_date, placed.period_month, interactions.channel, placed.handle_seconds,
        coalesce(interactions.talk_seconds, 0) + coalesce(interactions.hold_seconds, 0) + coalesce(interactions.wrap_seconds, 0) as measured_seconds,
        coalesce(tickets.issue_family, 'none') as issue_family
    from {{ rows_near('stg_interactions', 'started_at') }} as interactions
    inner join {{ rows_of('int_service__interaction_placed') }} as placed on {{ key_of('interactions', 'interaction_id') }} = placed.interaction_key
    left join {{ ref('stg_tickets') }} as tickets on placed.surviving_ticket_key = {{ key_of('tickets', 'ticket_id') }}
    where placed.is_handled and not interactions.is_deleted
),

-- What a contact of this issue and channel took on average in the month, of all agents.
expected as (
    select
        period_month, issue_family, channel,
        cast({{ rounded_quotient('cast(sum(handle_seconds) as bigint)', 'count(handle_seconds)', 1000) }} as bigint) as expected_milliseconds
    from contacts
    group by period_month, issue_family, channel
),

handled as (
    select
        contacts.agent_id,
        contacts.started_date as work_date,
        contacts.period_month,
        count(*) as contacts_handled_count,
        count(contacts.handle_seconds) as contacts_timed_count,
        cast(coalesce(sum(contacts.handle_seconds), 0) as bigint) as handle_seconds,
        cast(coalesce(sum(case when contacts.handle_seconds is not null then expected.expected_milliseconds end), 0) as bigint) as expected_handle_milliseconds,
        cast(sum(case when contacts.channel = 'phone' then contacts.measured_seconds else 0 end) as bigint) as call_seconds
    from contacts
    inner join expected on contacts.period_month = expected.period_month and contacts.issue_family = expected.issue_family and contacts.channel = expected.channel
    where contacts.agent_id is not null
    group by contacts.agent_id, contacts.started_date, contacts.period_month
),

resolved as (
    select tickets.assignee_id as agent_id, placed.solved_date as work_date, placed.solved_period_month as period_month, count(*) as tickets_resolved_count
    from {{ ref('stg_tickets') }} as tickets
    inner join {{ rows_of('int_service__ticket_placed', 'solved_period_month') }} as placed on {{ key_of('tickets', 'ticket_id') }} = placed.ticket_key
    where
        not tickets.is_deleted and tickets.ticket_state not in ('deleted', 'spam') and placed.surviving_ticket_key = placed.ticket_key
        and tickets.assignee_id is not null and placed.solved_period_month is not null
    group by tickets.assignee_id, placed.solved_date, placed.solved_period_month
),

keys as (
    select agent_id, work_date from agent_time
    union
    select agent_id, work_date from handled
    union
    select agent_id, work_date from resolved
),

agent_day as (
    select
        keys.agent_id,
        keys.work_date,
        days.period_month,
        agent_time.talk_seconds, agent_time.hold_seconds, agent_time.wrap_seconds, agent_time.chat_seconds, agent_time.case_work_seconds,
        agent_time.available_seconds, agent_time.break_seconds, agent_time.training_seconds, agent_time.meeting_seconds, agent_time.absence_seconds,
        agent_time.overtime_seconds, agent_time.paid_seconds,
        coalesce(handled.contacts_handled_count, 0) as contacts_handled_count,
        coalesce(handled.contacts_timed_count, 0) as contacts_timed_count,
        coalesce(handled.handle_seconds, 0) as handle_seconds,
        coalesce(handled.expected_handle_milliseconds, 0) as expected_handle_milliseconds,
        coalesce(handled.call_seconds, 0) as call_seconds,
        coalesce(resolved.tickets_resolved_count, 0) as tickets_resolved_count
    from keys
    inner join {{ ref('int_core__period_day') }} as days on keys.work_date = days.day
    left join agent_time on keys.agent_id = agent_time.agent_id and keys.work_date = agent_time.work_date
    left join handled on keys.agent_id = handled.agent_id and keys.work_date = handled.work_date
    left join resolved on keys.agent_id = resolved.agent_id and keys.work_date = resolved.work_date
)

select * from agent_day
