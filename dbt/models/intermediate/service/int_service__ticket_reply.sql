{{ config(materialized='monthly') }}

with tickets as (
    select
        placed.ticket_key, tickets.ticket_id, tickets.is_id_shared, tickets.created_at, placed.created_date, placed.period_month, tickets.channel,
        coalesce(tickets.submitter_role, '') as submitter_role
    from {{ rows_near('stg_tickets', 'created_at') }} as tickets
    inner join {{ rows_of('int_service__ticket_placed') }} as placed on {{ key_of('tickets', 'ticket_id') }} = placed.ticket_key
),

events as (
    select
        {{ of_named('tickets', 'ticket_key') }} as ticket_key, greatest(events.event_at, {{ of_named('tickets', 'created_at') }}) as event_at,
        events.event_number, events.event_type, events.field_name, events.new_value,
        case when events.actor_role in ('agent', 'executive') then 'human' else coalesce(events.actor_role, '') end as actor
    from {{ ref('stg_ticket_events') }} as events
    {{ left_join_named('tickets', 'tickets', 'ticket_key', 'events', 'ticket_id') }}
    where not events.is_deleted and events.is_overruled is not true and {{ of_named('tickets', 'ticket_key') }} is not null
),

noted as (
    select
        events.ticket_key,
        bool_or(events.event_type = 'public_comment' and events.actor = 'human') as has_replies,
        coalesce(bool_or(events.event_type = 'created' and events.actor = 'human'), false) as is_created_by_agent,
        min(case when events.event_type = 'history_viewed' then events.event_at end) as first_viewed_at,
        count(case when events.event_type = 'info_rerequested' then 1 end) as rerequests_count,
        count(case when events.event_type = 'sla_breached' then 1 end) as reported_breaches_count,
        count(case when events.event_type = 'automation' or (events.actor in ('bot', 'system') and events.event_type <> 'created') then 1 end) as automated_steps_count,
        count(case when events.event_type <> 'created' then 1 end) as steps_count,
        min(case when events.actor = 'human' and events.event_type <> 'created' then events.event_at end) as first_action_at
    from events
    group by events.ticket_key
),

-- The target in minutes that the desk applied last, by the field that it names: `resolution`, else the first reply.
applied as (
    select ticket_key, coalesce(field_name = 'resolution', false) as is_resolution, try_cast(new_value as bigint) * 60 as target_seconds
    from events
    where event_type = 'sla_applied' and try_cast(new_value as bigint) > 0
    qualify row_number() over (partition by ticket_key, coalesce(field_name = 'resolution', false) order by event_at desc, event_number desc) = 1
),

interactions as (
    select
        {{ of_named('tickets', 'ticket_key') }} as ticket_key, interactions.interaction_id, interactions.started_at, interactions.transfer_count, interactions.first_reply_at,
        -- A call or chat is answered when it is taken; another contact when a reply is reported, or by a message of the agent.
        case
            when interactions.direction = 'out' then interactions.started_at
            when interactions.outcome = 'answered' then coalesce(interactions.answered_at, interactions.first_reply_at, case when interactions.channel in ('phone', 'chat', 'in_person') then interactions.started_at end)
            else interactions.first_reply_at
        end as replied_at,
        interactions.direction = 'out' as is_out
    from {{ ref('stg_interactions') }} as interactions
    {{ left_join_named('tickets', 'tickets', 'ticket_key', 'interactions', 'ticket_id') }}
    where not interactions.is_deleted and {{ of_named('tickets', 'ticket_key') }} is not null
),

contacts as (
    select ticket_key, count(*) as contacts_count, cast(sum(coalesce(transfer_count, 0)) as bigint) as transfers_count, min(first_reply_at) as reported_first_reply_at from interactions group by ticket_key
),

-- Messages from the history where it holds a reply of a human, else from the contacts of the ticket.
messages as (
    select ticket_key, event_at as instant, event_number as position, actor from events where event_type = 'public_comment'
    union all
    select contacts.ticket_key, greatest(contacts.started_at, tickets.created_at), 0, 'customer'
    from interactions as contacts
    inner join tickets on contacts.ticket_key = tickets.ticket_key
    where not contacts.is_out and contacts.ticket_key not in (select ticket_key from noted where has_replies)
    union all
    select contacts.ticket_key, greatest(contacts.replied_at, tickets.created_at), 1, 'human'
    from interactions as contacts
    inner join tickets on contacts.ticket_key = tickets.ticket_key
    where contacts.replied_at is not null and contacts.ticket_key not in (select ticket_key from noted where has_replies)
),

opened as (
    select tickets.*, tickets.submitter_role = 'agent' or coalesce(noted.is_created_by_agent, false) as is_by_agent, coalesce(noted.has_replies, false) as has_replies
    from tickets
    left join noted on tickets.ticket_key = noted.ticket_key
),

numbered as (
    select
        messages.ticket_key, messages.instant, messages.actor, opened.is_by_agent, opened.has_replies,
        cast(row_number() over (partition by messages.ticket_key order by messages.instant, messages.position) as bigint) = 1 as is_first,
        count(case when messages.actor = 'human' then 1 end) over (partition by messages.ticket_key order by messages.instant, messages.position rows between unbounded preceding and current row) as humans_count
    from messages
    inner join opened on messages.ticket_key = opened.ticket_key
),

-- A message with which an agent opened the ticket is no reply to anyone.
replies as (
    select
        ticket_key,
        min(case when actor = 'human' and not (is_by_agent and is_first) then instant end) as first_reply_at,
        min(case when actor in ('human', 'bot') and not (is_by_agent and is_first) then instant end) as first_reply_any_at,
        count(case when actor = 'human' then 1 end) as touches_count
    from numbered
    group by ticket_key
),

-- A customer waits from the first message since the last reply to the next one; who opens a ticket waits from its creation.
asked as (
    select ticket_key, case when actor = 'human' then humans_count - 1 else humans_count end as wait_number, instant, actor from numbered
    union all
    select ticket_key, 0, created_at, 'customer' from opened where not is_by_agent
),

waits as (
    select ticket_key, wait_number, min(case when actor = 'customer' then instant end) as asked_at, min(case when actor = 'human' then instant end) as replied_at from asked group by ticket_key, wait_number
),

points as (
    select ticket_key, 2 * wait_number as point, asked_at as instant from waits where asked_at <= replied_at
    union all
    select ticket_key, 2 * wait_number + 1, replied_at from waits where asked_at <= replied_at
    union all
    select ticket_key, -1, first_reply_at from replies where first_reply_at is not null
    union all
    select ticket_key, -3, first_reply_any_at from replies where first_reply_any_at is not null
),

business as (
    {{ business_at('points') }}
),

business_sums as (
    select
        ticket_key,
        max(case when point = -1 then business_seconds end) as first_reply_business_seconds,
        max(case when point = -3 then business_seconds end) as first_reply_any_business_seconds,
        cast(sum(case when point >= 0 then case when point % 2 = 1 then business_seconds else -business_seconds end end) as bigint) as total_reply_business_seconds
    from business
    group by ticket_key
),

-- What a desk says that measures each event by the schedule that the ticket has at the end.
last_schedule as (
    select sides.ticket_key, max(case when sides.side = 1 then {{ opened_seconds('spans', 'sides.instant') }} end) - max(case when sides.side = 0 then {{ opened_seconds('spans', 'sides.instant') }} end) as first_reply_last_schedule_seconds
    from (
        select ticket_key, 1 as side, first_reply_at as instant from replies where first_reply_at is not null
        union all
        select ticket_key, 0, created_at from opened
    ) as sides
    inner join {{ rows_of('int_service__ticket_interval') }} as intervals on sides.ticket_key = intervals.ticket_key and intervals.ended_at is null
    inner join {{ ref('int_service__open_span') }} as spans on intervals.schedule_id = spans.schedule_id and {{ business_date('sides.instant', "'UTC'") }} = spans.utc_date
    group by sides.ticket_key
),

totals as (
    select ticket_key, count(*) as waits_count, cast(sum({{ elapsed_seconds('asked_at', 'replied_at') }}) as bigint) as total_reply_seconds
    from waits where asked_at <= replied_at group by ticket_key
),

ticket_reply as (
    select
        opened.ticket_key, opened.period_month, opened.created_at, opened.is_by_agent, replies.first_reply_at, replies.first_reply_any_at,
        case when replies.first_reply_at is not null then case when opened.has_replies then 'ticket_events' else 'interactions' end end as reply_source,
        {{ elapsed_seconds('opened.created_at', 'replies.first_reply_at') }} as first_reply_seconds,
        {{ elapsed_seconds('opened.created_at', 'replies.first_reply_any_at') }} as first_reply_any_seconds,
        business_sums.first_reply_business_seconds, business_sums.first_reply_any_business_seconds, last_schedule.first_reply_last_schedule_seconds,
        totals.total_reply_seconds, business_sums.total_reply_business_seconds, coalesce(totals.waits_count, 0) as replies_awaited_count,
        coalesce(replies.touches_count, 0) as touches_count, coalesce(contacts.contacts_count, 0) as contacts_count, coalesce(contacts.transfers_count, 0) as transfers_count,
        contacts.reported_first_reply_at, noted.first_viewed_at, noted.first_action_at, noted.rerequests_count, noted.reported_breaches_count, noted.automated_steps_count, noted.steps_count,
        applied_reply.target_seconds as applied_reply_target_seconds, applied_resolution.target_seconds as applied_resolution_target_seconds
    from opened
    left join applied as applied_reply on opened.ticket_key = applied_reply.ticket_key and not applied_reply.is_resolution
    left join applied as applied_resolution on opened.ticket_key = applied_resolution.ticket_key and applied_resolution.is_resolution
    left join noted on opened.ticket_key = noted.ticket_key
    left join contacts on opened.ticket_key = contacts.ticket_key
    left join replies on opened.ticket_key = replies.ticket_key
    left join totals on opened.ticket_key = totals.ticket_key
    left join last_schedule on opened.ticket_key = last_schedule.ticket_key
    left join business_sums on opened.ticket_key = business_sums.ticket_key
)

select * from ticket_reply
