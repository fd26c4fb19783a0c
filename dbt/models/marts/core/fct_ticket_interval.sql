{{ config(materialized='monthly') }}

with placed as (
    select
        intervals.*, tickets.channel, tickets.is_counted,
        {{ business_date('intervals.started_at', 'watermark.company_time_zone') }} as started_date,
        {{ business_date('intervals.ended_at', 'watermark.company_time_zone') }} as ended_date,
        lag(intervals.department_id) over (partition by intervals.ticket_key order by intervals.interval_number) as previous_department_id,
        lag(intervals.agent_id) over (partition by intervals.ticket_key order by intervals.interval_number) as previous_agent_id,
        lag(intervals.ticket_state) over (partition by intervals.ticket_key order by intervals.interval_number) as previous_ticket_state
    from {{ rows_of('int_service__ticket_interval') }} as intervals
    inner join {{ rows_of('fct_ticket') }} as tickets on intervals.ticket_key = tickets.ticket_key
    cross join {{ ref('int_core__watermark') }} as watermark
    where intervals.has_history
),

-- A hand-off lasts until the next one: what is asked again, and who acts, belongs to the department that then has the ticket.
handoffs as (
    select
        ticket_key, interval_number,
        lag(previous_department_id) over (partition by ticket_key order by interval_number) as department_before_id,
        lead(started_at) over (partition by ticket_key order by interval_number) as next_handoff_at
    from placed
    where previous_department_id <> department_id
),

fct_ticket_interval as (
    select
        placed.ticket_key, placed.ticket_id, placed.interval_number, placed.account_id, placed.channel, placed.ticket_state, placed.previous_ticket_state,
        placed.department_id, placed.previous_department_id, placed.agent_id, placed.blocked_reason, placed.schedule_id,
        placed.ended_at is null as is_last,
        placed.is_counted,
        coalesce(placed.ticket_state in ('new', 'open', 'pending', 'on_hold'), false) as is_unresolved,
        placed.calendar_seconds, placed.business_seconds,
        case when placed.business_seconds is null then 'schedule_absent' end as business_null_reason,
        handoffs.ticket_key is not null as is_handoff,
        handoffs.ticket_key is null and coalesce(placed.previous_agent_id <> placed.agent_id, false) as is_reassignment,
        coalesce(handoffs.department_before_id = placed.department_id, false) as is_ping_pong,
        case when placed.ended_at is null or placed.next_rerequest_at < placed.ended_at then placed.next_rerequest_at end as rerequested_at,
        handoffs.ticket_key is not null and placed.next_rerequest_at is not null
        and {{ elapsed_seconds('placed.started_at', 'placed.next_rerequest_at') }} <= 86400
        and (handoffs.next_handoff_at is null or placed.next_rerequest_at < handoffs.next_handoff_at) as is_information_lost,
        case when handoffs.ticket_key is not null and (handoffs.next_handoff_at is null or placed.next_action_at < handoffs.next_handoff_at) then {{ elapsed_seconds('placed.started_at', 'placed.next_action_at') }} end as next_action_seconds,
        -- A closed ticket stays closed, a merged one merged, and none is new again; each may be deleted.
        not coalesce(
            (placed.previous_ticket_state = 'closed' and placed.ticket_state not in ('closed', 'deleted', 'merged'))
            or (placed.previous_ticket_state = 'merged' and placed.ticket_state not in ('merged', 'deleted'))
            or (placed.ticket_state = 'new' and placed.previous_ticket_state not in ('new', 'deleted')), false
        ) as is_allowed_step,
        placed.started_date, placed.ended_date, placed.period_month, days.period_month as started_period_month,
        placed.started_at, placed.ended_at, placed.measured_until_at
    from placed
    left join handoffs on placed.ticket_key = handoffs.ticket_key and placed.interval_number = handoffs.interval_number
    left join {{ ref('int_core__period_day') }} as days on placed.started_date = days.day
)

select * from fct_ticket_interval
