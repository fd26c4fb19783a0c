-- A table and not by month: standards, opening hours and cadences that change name no month.
with counted as (
    select * from {{ ref('int_service__queue_counted') }}
),

schedules as (
    select distinct schedule_id from {{ ref('int_service__queue_promise') }}
),

only_schedule as (
    select min(schedule_id) as schedule_id from schedules having count(*) = 1
),

-- The schedule named as the queue, else as its department, else the only one.
lines as (
    select
        spans.queue, spans.channel, spans.department_id, spans.first_date, spans.last_date,
        coalesce(of_queue.schedule_id, of_department.schedule_id, only_schedule.schedule_id) as schedule_id
    from (
        select queue, channel, department_id, min(started_date) as first_date, max(started_date) as last_date
        from counted
        group by queue, channel, department_id
    ) as spans
    left join schedules as of_queue on spans.queue = of_queue.schedule_id
    left join schedules as of_department on spans.department_id = of_department.schedule_id
    left join only_schedule on true
),

promised as (
    select lines.queue, lines.channel, lines.department_id, promise.day as started_date, promise.interval_start_minutes, days.period_month
    from lines
    inner join {{ ref('int_service__queue_promise') }} as promise on lines.schedule_id = promise.schedule_id and promise.day between lines.first_date and lines.last_date
    inner join {{ ref('int_core__period_day') }} as days on promise.day = days.day
),

came as (
    select counted.*, case when lines.schedule_id is not null then promised.channel is not null end as is_promised
    from counted
    left join lines on coalesce(counted.queue, '') = coalesce(lines.queue, '') and counted.channel = lines.channel and coalesce(counted.department_id, '') = coalesce(lines.department_id, '')
    left join promised
        on coalesce(counted.queue, '') = coalesce(promised.queue, '') and counted.channel = promised.channel and coalesce(counted.department_id, '') = coalesce(promised.department_id, '')
            and counted.started_date = promised.started_date and counted.interval_start_minutes = promised.interval_start_minutes
),

quiet as (
    select promised.*
    from promised
    left join came
        on coalesce(promised.queue, '') = coalesce(came.queue, '') and promised.channel = came.channel and coalesce(promised.department_id, '') = coalesce(came.department_id, '')
            and promised.started_date = came.started_date and promised.interval_start_minutes = came.interval_start_minutes and came.is_counted
    where came.channel is null
),

mart_queue_interval as (
    select
        queue, channel, department_id, started_date, interval_start_minutes, period_month, interval_source, is_counted,
        offered_count, answered_count, abandoned_count, short_abandoned_count, blocked_count, voicemail_count, callback_count, unknown_count,
        judged_count, answered_judged_count, answered_within_count, abandoned_within_count, wait_known_count, wait_seconds, answered_wait_known_count, answered_wait_seconds, longest_wait_seconds, ring_known_count, answered_before_ring_3_count, handle_known_count, handle_seconds, target_seconds, staffed_agents_count,
        is_promised,
        -- Nobody came and no staff is reported: nothing says whether somebody was there.
        case when offered_count > 0 or staffed_agents_count is not null then answered_count > 0 or coalesce(staffed_agents_count, 0) > 0 end as is_covered
    from came
    union all
    select
        queue, channel, department_id, started_date, interval_start_minutes, period_month, 'none' as interval_source, true as is_counted,
        cast(0 as bigint) as offered_count, cast(0 as bigint) as answered_count, cast(0 as bigint) as abandoned_count, cast(0 as bigint) as short_abandoned_count, cast(0 as bigint) as blocked_count, cast(0 as bigint) as voicemail_count, cast(0 as bigint) as callback_count, cast(0 as bigint) as unknown_count,
        cast(null as bigint) as judged_count, cast(null as bigint) as answered_judged_count, cast(null as bigint) as answered_within_count, cast(null as bigint) as abandoned_within_count, cast(null as bigint) as wait_known_count, cast(null as bigint) as wait_seconds, cast(null as bigint) as answered_wait_known_count, cast(null as bigint) as answered_wait_seconds, cast(null as bigint) as longest_wait_seconds, cast(null as bigint) as ring_known_count, cast(null as bigint) as answered_before_ring_3_count, cast(null as bigint) as handle_known_count, cast(null as bigint) as handle_seconds, cast(null as bigint) as target_seconds, cast(null as decimal(9, 3)) as staffed_agents_count,
        true as is_promised, cast(null as boolean) as is_covered
    from quiet
)

select * from mart_queue_interval
