with intervals as (
    select * from {{ ref('fct_ticket_interval') }} where is_counted
),

elapsed as (
    select started_period_month, cast(sum(calendar_seconds) as bigint) as elapsed_seconds from intervals group by started_period_month
)

select
    intervals.started_period_month as period_month, intervals.blocked_reason, coalesce(intervals.department_id, 'none') as department_id,
    count(distinct intervals.ticket_key) as tickets_count,
    cast(sum(intervals.calendar_seconds) as bigint) as blocked_seconds, max(elapsed.elapsed_seconds) as elapsed_seconds
from intervals
inner join elapsed on intervals.started_period_month = elapsed.started_period_month
where intervals.blocked_reason is not null
group by intervals.started_period_month, intervals.blocked_reason, coalesce(intervals.department_id, 'none')
