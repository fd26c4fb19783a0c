{{ config(materialized='monthly') }}

with tickets as (
    select tickets.*, watermark.company_time_zone from {{ rows_of('fct_ticket') }} as tickets cross join {{ ref('int_core__watermark') }} as watermark
),

intervals as (
    select
        *,
        coalesce(previous_ticket_state in ('solved', 'closed'), false) as was_solved,
        lag(agent_id) over (partition by ticket_key order by interval_number) as agent_before_id
    from {{ rows_of('fct_ticket_interval') }}
),

history as (
    select
        ticket_key, count(ticket_state) > 0 as has_states, max(measured_until_at) as last_event_at,
        {% for name, condition in {
            'reopens': 'was_solved and is_unresolved', 'handoffs': 'is_handoff', 'reassignments': 'is_reassignment', 'ping_pongs': 'is_ping_pong', 'information_losses': 'is_information_lost',
            'stations': 'agent_id is not null and agent_id is distinct from agent_before_id', 'steps_not_allowed': 'not is_allowed_step',
        }.items() -%}
        count(case when {{ condition }} then 1 end) as {{ name }}_count,
        {% endfor -%}
        count(distinct department_id) as departments_count,
        {% for name, condition in {
            'requester_wait': "ticket_state in ('new', 'open', 'on_hold')", 'agent_work': "ticket_state in ('new', 'open')", 'agent_wait': "ticket_state = 'pending'",
            'on_hold': "ticket_state = 'on_hold'", 'deleted': "ticket_state = 'deleted'", 'blocked': 'blocked_reason is not null', 'elapsed': 'true',
        }.items() -%}
        {% for clock, column in {'': 'calendar_seconds', 'business_': 'business_seconds'}.items() -%}
        coalesce(cast(sum(case when {{ condition }} then {{ column }} end) as bigint), 0) as {{ name }}_{{ clock }}seconds,
        {% endfor -%}
        {% endfor -%}
        count(case when is_unresolved and {{ elapsed_seconds('created_at', 'started_at') }} <= 2592000 and (ended_at is null or {{ elapsed_seconds('created_at', 'ended_at') }} > 2592000) then 1 end) > 0 as is_unresolved_after_30_days
    from (
        select intervals.*, tickets.created_at from intervals inner join tickets on intervals.ticket_key = tickets.ticket_key
    ) as intervals
    group by ticket_key
),

worked as (
    select ticket_key, cast(sum(handle_seconds) as bigint) as handle_seconds
    from {{ ref('fct_interaction') }}
    where is_counted and ticket_key in (select ticket_key from tickets)
    group by ticket_key
),

presence as (
    select coalesce(bool_or(feed = 'ticket_events' and is_present), false) as has_events, coalesce(bool_or(feed = 'interactions' and is_present), false) as has_interactions, coalesce(bool_or(feed = 'business_hours' and is_present), false) as has_hours
    from {{ source('lake', 'feed_presence') }}
),

mart_ticket_clock as (
    select
        tickets.ticket_key, tickets.ticket_id, tickets.account_id, tickets.channel, tickets.priority, tickets.department_id, tickets.issue_family, tickets.ticket_state,
        tickets.is_counted,
        history.ticket_key is not null as has_history,
        coalesce(history.has_states, false) as has_states,
        tickets.created_at, replies.first_reply_at, replies.first_reply_any_at, resolutions.first_solved_at, resolutions.final_solved_at, history.last_event_at,
        replies.first_reply_seconds, replies.first_reply_business_seconds, replies.first_reply_any_seconds, replies.first_reply_any_business_seconds, replies.first_reply_last_schedule_seconds,
        replies.total_reply_seconds, replies.total_reply_business_seconds, replies.reply_source,
        case when replies.first_reply_seconds is null then case when presence.has_events or presence.has_interactions then 'no_reply' else 'source_absent' end end as first_reply_null_reason,
        resolutions.first_resolution_seconds, resolutions.first_resolution_business_seconds, resolutions.cycle_seconds, resolutions.cycle_business_seconds, resolutions.resolution_source,
        case when resolutions.first_resolution_seconds is null then 'unsolved' end as first_resolution_null_reason,
        case when resolutions.cycle_seconds is null then 'unsolved' end as cycle_null_reason,
        {% for name in ['requester_wait', 'agent_work', 'agent_wait', 'on_hold', 'deleted'] -%}
        case when history.has_states then history.{{ name }}_seconds end as {{ name }}_seconds,
        case when history.has_states and resolutions.has_business then history.{{ name }}_business_seconds end as {{ name }}_business_seconds,
        {% endfor -%}
        {% for name in ['blocked', 'elapsed'] -%}
        history.{{ name }}_seconds, case when resolutions.has_business then history.{{ name }}_business_seconds end as {{ name }}_business_seconds,
        {% endfor -%}
        case when history.has_states then null when history.ticket_key is not null then 'no_states' when presence.has_events then 'no_history' else 'source_absent' end as history_null_reason,
        case when not resolutions.has_business then case when presence.has_hours then 'schedule_absent' else 'source_absent' end end as business_null_reason,
        case when replies.touches_count > 0 then replies.touches_count end as touches_count,
        case when presence.has_interactions then replies.contacts_count end as contacts_count, case when presence.has_interactions then replies.transfers_count end as transfers_count,
        case when presence.has_events or presence.has_interactions then replies.replies_awaited_count end as replies_awaited_count,
        history.stations_count, history.departments_count, history.handoffs_count, history.reassignments_count, history.ping_pongs_count, history.information_losses_count,
        case when history.has_states then history.reopens_count end as reopens_count,
        replies.rerequests_count, replies.steps_count, replies.automated_steps_count, case when history.has_states then history.steps_not_allowed_count end as steps_not_allowed_count,
        tickets.reopen_count as reported_reopens_count, case when history.has_states then tickets.reopen_count - history.reopens_count end as reopens_difference_count,
        replies.reported_first_reply_at, {{ elapsed_seconds('replies.first_reply_at', 'replies.reported_first_reply_at') }} as first_reply_difference_seconds,
        tickets.first_solved_at as reported_first_solved_at, {{ elapsed_seconds('resolutions.first_solved_at', 'tickets.first_solved_at') }} as first_resolution_difference_seconds,
        replies.reported_breaches_count,
        coalesce({{ business_date('resolutions.final_solved_at', 'tickets.company_time_zone') }} = tickets.created_date, false) as is_same_day,
        coalesce(replies.touches_count = 1 and resolutions.final_solved_at is not null, false) as is_one_touch,
        coalesce(replies.first_viewed_at is not null and (replies.first_reply_at is null or replies.first_viewed_at <= replies.first_reply_at), false) as is_history_viewed,
        coalesce(case when history.has_states then history.is_unresolved_after_30_days else resolutions.final_solved_at is null or {{ elapsed_seconds('tickets.created_at', 'resolutions.final_solved_at') }} > 2592000 end, false) as is_unresolved_after_30_days,
        -- From the first thing that an agent did to the first reply, and never more than was worked.
        case when replies.first_action_at <= replies.first_reply_at and greatest(worked.handle_seconds, tickets.handle_seconds) is not null then least({{ elapsed_seconds('replies.first_action_at', 'replies.first_reply_at') }}, greatest(worked.handle_seconds, tickets.handle_seconds)) end as info_gathering_seconds,
        {% for kind in ['first_reply', 'first_resolution'] -%}
        resolutions.{{ kind }}_target_seconds, resolutions.{{ kind }}_target_source, coalesce(resolutions.{{ kind }}_is_business, false) as is_{{ kind }}_target_business,
        coalesce(resolutions.{{ kind }}_target_state, 'none') as {{ kind }}_target_state, resolutions.{{ kind }}_due_at,
        {% endfor -%}
        tickets.created_date, tickets.period_month,
        days.period_month as final_solved_period_month
    from tickets
    cross join presence
    inner join {{ rows_of('int_service__ticket_reply') }} as replies on tickets.ticket_key = replies.ticket_key
    inner join {{ rows_of('int_service__ticket_resolution') }} as resolutions on tickets.ticket_key = resolutions.ticket_key
    left join history on tickets.ticket_key = history.ticket_key
    left join worked on tickets.ticket_key = worked.ticket_key
    left join {{ ref('int_core__period_day') }} as days on {{ business_date('resolutions.final_solved_at', 'tickets.company_time_zone') }} = days.day
)

select * from mart_ticket_clock
