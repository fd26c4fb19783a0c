-- Stages of work: the states in which a ticket is not solved, by the month in which each began.
with stages as (
    select
        intervals.*, coalesce(department_id, 'none') as stage_department_id,
        cast(row_number() over (partition by started_period_month, ticket_state, coalesce(department_id, 'none') order by calendar_seconds) as bigint) as position,
        count(*) over (partition by started_period_month, ticket_state, coalesce(department_id, 'none')) as n
    from {{ ref('fct_ticket_interval') }} as intervals
    where is_counted and is_unresolved
),

summed as (
    select
        started_period_month as period_month, stage_department_id as department_id, ticket_state,
        count(*) as intervals_count, count(distinct ticket_key) as tickets_count,
        cast(sum(calendar_seconds) as bigint) as calendar_seconds,
        case when count(*) = count(business_seconds) then cast(sum(business_seconds) as bigint) end as business_seconds,
        case when count(*) > count(business_seconds) then 'schedule_absent' end as business_null_reason,
        min(case when position * 10 >= n * 5 then calendar_seconds end) as p50_seconds,
        min(case when position * 10 >= n * 9 then calendar_seconds end) as p90_seconds
    from stages
    group by started_period_month, stage_department_id, ticket_state
),

compared as (
    select
        summed.*,
        cast(sum(calendar_seconds) over (partition by period_month) as bigint) as month_seconds,
        cast(row_number() over (partition by period_month order by calendar_seconds desc, department_id, ticket_state) as bigint) = 1 as is_bottleneck
    from summed
)

select compared.*, cast(calendar_seconds as double) / nullif(cast(month_seconds as double), 0) as elapsed_share
from compared
