{{ config(severity='warn') }}
-- Warns: a telephone system reports other numbers for a queue and day than its calls make; the calls count.
with days as (
    select
        queue, channel, started_date,
        cast(sum(case when interval_source = 'calls' then offered_count end) as bigint) as offered_count,
        cast(sum(case when interval_source = 'intervals' then offered_count end) as bigint) as reported_offered_count,
        cast(sum(case when interval_source = 'calls' then answered_count end) as bigint) as answered_count,
        cast(sum(case when interval_source = 'intervals' then answered_count end) as bigint) as reported_answered_count
    from {{ ref('mart_queue_interval') }}
    group by queue, channel, started_date
    having count(case when interval_source = 'calls' then 1 end) > 0 and count(case when interval_source = 'intervals' then 1 end) > 0
)

select 'queue_intervals' as relation, coalesce(queue, 'none') || ' ' || cast(started_date as string) as queue_day, *
from days
where offered_count <> reported_offered_count or answered_count <> reported_answered_count
