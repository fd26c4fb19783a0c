-- The nearest rank: the smallest value that at least this part of the tickets does not exceed.
with clocks as (
    {% for name, month in {
        'first_reply': 'period_month', 'first_reply_business': 'period_month', 'first_resolution': 'period_month', 'first_resolution_business': 'period_month',
        'cycle': 'final_solved_period_month', 'cycle_business': 'final_solved_period_month', 'requester_wait': 'final_solved_period_month',
    }.items() -%}
    select '{{ name }}' as clock_kind, {{ month }} as period_month, channel, coalesce(department_id, 'none') as department_id, {{ name }}_seconds as clock_seconds
    from {{ ref('mart_ticket_clock') }}
    where is_counted and {{ name }}_seconds is not null and {{ month }} is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- Each ticket in the row of its channel and department, of either, and of all.
spread as (
    select clock_kind, period_month, channel, department_id, clock_seconds from clocks
    union all
    select clock_kind, period_month, channel, 'all', clock_seconds from clocks
    union all
    select clock_kind, period_month, 'all', department_id, clock_seconds from clocks
    union all
    select clock_kind, period_month, 'all', 'all', clock_seconds from clocks
),

ranked as (
    select
        spread.*,
        cast(row_number() over (partition by clock_kind, period_month, channel, department_id order by clock_seconds) as bigint) as position,
        count(*) over (partition by clock_kind, period_month, channel, department_id) as n
    from spread
)

select
    period_month, channel, department_id, clock_kind, max(n) as tickets_count, cast(sum(clock_seconds) as bigint) as total_seconds,
    min(case when position * 10 >= n * 5 then clock_seconds end) as p50_seconds,
    min(case when position * 10 >= n * 9 then clock_seconds end) as p90_seconds
from ranked
group by period_month, channel, department_id, clock_kind
