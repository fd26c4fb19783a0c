{{ config(materialized='monthly') }}

{%- set kinds = ['first_reply', 'first_resolution'] %}
with intervals as (
    select
        *,
        coalesce(ticket_state in ('solved', 'closed'), false) as is_solved,
        coalesce(lag(ticket_state) over (partition by ticket_key order by interval_number) in ('solved', 'closed'), false) as was_solved
    from {{ rows_of('int_service__ticket_interval') }}
),

tickets as (
    select
        placed.ticket_key, placed.period_month, placed.created_date, tickets.created_at, tickets.channel,
        case when tickets.ticket_state in ('solved', 'closed') then coalesce(tickets.first_solved_at, placed.solved_at) else tickets.first_solved_at end as first_solved_at,
        placed.solved_at
    from {{ rows_near('stg_tickets', 'created_at') }} as tickets
    inner join {{ rows_of('int_service__ticket_placed') }} as placed on {{ key_of('tickets', 'ticket_id') }} = placed.ticket_key
),

history as (
    select
        ticket_key, min(case when is_solved then started_at end) as first_solved_at, max(case when is_solved and not was_solved then started_at end) as last_solved_at,
        bool_or(ended_at is null and is_solved) as is_solved, count(*) = count(business_seconds) as has_business
    from intervals
    group by ticket_key
),

-- A history that says nothing of solving leaves the instants that the ticket itself has.
solved as (
    select
        tickets.*, history.has_business, coalesce(history.first_solved_at, tickets.first_solved_at) as solved_first_at,
        case when history.is_solved then history.last_solved_at else tickets.solved_at end as solved_last_at,
        case when history.first_solved_at is not null then 'ticket_events' when tickets.first_solved_at is not null then 'tickets' end as resolution_source
    from tickets
    inner join history on tickets.ticket_key = history.ticket_key
),

points as (
    select ticket_key, 1 as point, solved_first_at as instant from solved where solved_first_at >= created_at
    union all
    select ticket_key, 2, solved_last_at from solved where solved_last_at >= created_at
),

business as (
    {{ business_at('points') }}
),

business_sums as (
    select ticket_key, max(case when point = 1 then business_seconds end) as first_business_seconds, max(case when point = 2 then business_seconds end) as last_business_seconds
    from business
    group by ticket_key
),

-- Time before the first resolution in which the desk was to act: the target of a resolution pauses while the customer is.
active as (
    select
        intervals.ticket_key,
        cast(sum(intervals.calendar_seconds) as bigint) as calendar_seconds,
        case when count(*) = count(intervals.business_seconds) then cast(sum(intervals.business_seconds) as bigint) end as business_seconds
    from intervals
    inner join solved on intervals.ticket_key = solved.ticket_key and (solved.solved_first_at is null or intervals.started_at < solved.solved_first_at)
    where intervals.ticket_state in ('new', 'open', 'on_hold')
    group by intervals.ticket_key
),

standards as (
    select
        standard_id, metric_id, channel, valid_from_date, valid_to_date,
        cast(floor(threshold_value * case unit when 'minutes' then 60 when 'hours' then 3600 else 1 end) as bigint) as target_seconds
    from {{ ref('stg_service_standards') }}
    where not is_deleted and is_overruled is not true and customer_tier is null and comparator in ('<', '<=') and unit in ('seconds', 'minutes', 'hours')
        and metric_id in ('first_reply_seconds', 'first_resolution_seconds') and threshold_value > 0
),

standing as (
    select tickets.ticket_key, standards.metric_id, standards.target_seconds
    from tickets
    inner join standards
        on tickets.created_date >= standards.valid_from_date and (standards.valid_to_date is null or tickets.created_date < standards.valid_to_date)
        and (standards.channel is null or tickets.channel = standards.channel)
    qualify row_number() over (partition by tickets.ticket_key, standards.metric_id order by standards.channel desc nulls last, standards.valid_from_date desc, standards.standard_id) = 1
),

-- What was promised: the desk's own target, the right of the customer, the standard in force when the ticket was created.
ends as (
    select
        solved.ticket_key, solved.created_at, solved.solved_first_at, business_sums.first_business_seconds, intervals.ticket_state, intervals.response_target_minutes, intervals.schedule_id, intervals.measured_until_at,
        intervals.business_before_seconds + intervals.business_seconds as spent_business_seconds, intervals.opened_before_seconds + intervals.business_seconds as opened_seconds,
        {{ elapsed_seconds('solved.created_at', 'intervals.measured_until_at') }} as spent_calendar_seconds,
        case when active.ticket_key is null then 0 else active.calendar_seconds end as active_calendar_seconds,
        case when active.ticket_key is null then 0 else active.business_seconds end as active_business_seconds
    from solved
    inner join intervals on solved.ticket_key = intervals.ticket_key and intervals.ended_at is null
    left join active on solved.ticket_key = active.ticket_key
    left join business_sums on solved.ticket_key = business_sums.ticket_key
),

targets as (
    select
        ends.ticket_key, 'first_reply' as kind, ends.schedule_id, ends.measured_until_at, ends.opened_seconds,
        coalesce(replies.applied_reply_target_seconds, ends.response_target_minutes * 60, standing.target_seconds) as target_seconds,
        case when replies.applied_reply_target_seconds is not null then 'ticket_events' when ends.response_target_minutes is not null then 'entitlements' when standing.target_seconds is not null then 'service_standards' end as target_source,
        replies.first_reply_at as done_at, ends.solved_first_at as given_up_at, false as is_paused,
        replies.first_reply_seconds as done_calendar_seconds, replies.first_reply_business_seconds as done_business_seconds, ends.spent_calendar_seconds, ends.spent_business_seconds
    from ends
    inner join {{ rows_of('int_service__ticket_reply') }} as replies on ends.ticket_key = replies.ticket_key
    left join standing on ends.ticket_key = standing.ticket_key and standing.metric_id = 'first_reply_seconds'
    union all
    select
        ends.ticket_key, 'first_resolution', ends.schedule_id, ends.measured_until_at, ends.opened_seconds,
        coalesce(replies.applied_resolution_target_seconds, standing.target_seconds),
        case when replies.applied_resolution_target_seconds is not null then 'ticket_events' when standing.target_seconds is not null then 'service_standards' end,
        ends.solved_first_at, null, coalesce(ends.ticket_state not in ('new', 'open', 'on_hold'), false),
        case when ends.ticket_state is null then {{ elapsed_seconds('ends.created_at', 'ends.solved_first_at') }} else ends.active_calendar_seconds end,
        case when ends.ticket_state is null then ends.first_business_seconds else ends.active_business_seconds end,
        case when ends.ticket_state is null then ends.spent_calendar_seconds else ends.active_calendar_seconds end,
        case when ends.ticket_state is null or ends.spent_business_seconds is null then ends.spent_business_seconds else ends.active_business_seconds end
    from ends
    inner join {{ rows_of('int_service__ticket_reply') }} as replies on ends.ticket_key = replies.ticket_key
    left join standing on ends.ticket_key = standing.ticket_key and standing.metric_id = 'first_resolution_seconds'
),

-- By the business clock wherever a schedule holds.
judged as (
    select
        targets.*, spent_business_seconds is not null as is_business,
        case
            when done_at is not null then case when coalesce(done_business_seconds, done_calendar_seconds) <= target_seconds then 'met' else 'breached' end
            when given_up_at is not null then 'no_reply'
            when coalesce(spent_business_seconds, spent_calendar_seconds) > target_seconds then 'breached'
            when is_paused then 'paused'
            else 'running'
        end as target_state
    from targets
    where target_seconds is not null
),

-- When the rest of a running target is used up: at most a year later, so that the days it is looked for in are always there.
due as (
    select
        judged.ticket_key, judged.kind,
        min(case
            when not judged.is_business then {{ instant_after('judged.measured_until_at', 'judged.target_seconds - judged.spent_calendar_seconds') }}
            else {{ instant_after('spans.opens_at', 'judged.opened_seconds + judged.target_seconds - judged.spent_business_seconds - spans.opened_seconds') }}
        end) as due_at
    from judged
    left join {{ ref('int_service__open_span') }} as spans
        on judged.is_business and judged.schedule_id = spans.schedule_id
        and judged.opened_seconds + judged.target_seconds - judged.spent_business_seconds > spans.opened_seconds
        and judged.opened_seconds + judged.target_seconds - judged.spent_business_seconds <= spans.opened_seconds + {{ elapsed_seconds('spans.opens_at', 'spans.closes_at') }}
        and {{ days_between(business_date('judged.measured_until_at', "'UTC'"), 'spans.utc_date') }} <= 366
    where judged.target_state = 'running'
    group by judged.ticket_key, judged.kind
),

ticket_resolution as (
    select
        solved.ticket_key, solved.period_month, solved.has_business, solved.solved_first_at as first_solved_at, solved.solved_last_at as final_solved_at, solved.resolution_source,
        {{ elapsed_seconds('solved.created_at', 'solved.solved_first_at') }} as first_resolution_seconds, business_sums.first_business_seconds as first_resolution_business_seconds,
        {{ elapsed_seconds('solved.created_at', 'solved.solved_last_at') }} as cycle_seconds, business_sums.last_business_seconds as cycle_business_seconds,
        {% for kind in kinds -%}
        {{ kind }}_judged.target_seconds as {{ kind }}_target_seconds, {{ kind }}_judged.target_source as {{ kind }}_target_source, {{ kind }}_judged.is_business as {{ kind }}_is_business,
        {{ kind }}_judged.target_state as {{ kind }}_target_state, {{ kind }}_due.due_at as {{ kind }}_due_at
        {{- ',' if not loop.last }}
        {% endfor %}
    from solved
    left join business_sums on solved.ticket_key = business_sums.ticket_key
    {% for kind in kinds -%}
    left join judged as {{ kind }}_judged on solved.ticket_key = {{ kind }}_judged.ticket_key and {{ kind }}_judged.kind = '{{ kind }}'
    left join due as {{ kind }}_due on solved.ticket_key = {{ kind }}_due.ticket_key and {{ kind }}_due.kind = '{{ kind }}'
    {% endfor %}
)

select * from ticket_resolution
