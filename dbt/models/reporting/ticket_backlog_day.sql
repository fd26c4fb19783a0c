{%- set bands = [('0 to 1 days', 0, 2), ('2 to 6 days', 2, 7), ('7 to 29 days', 7, 30), ('30 to 89 days', 30, 90), ('90 days or more', 90, none)] %}
-- Tickets that are not solved when a business day ends, by age: each span of a ticket in a band of age begins on one day and ends on another, and the
-- days between are a running sum, so that no row is made for each ticket and day.
with calendar as (
    select min(start_date) as first_date, max(as_of_date) as as_of_date from {{ ref('dim_period') }}
),

-- By the history where it says in which state a ticket was, else from its creation to its resolution.
spans as (
    select clocks.created_date, intervals.started_date as first_date, intervals.ended_date as end_date
    from {{ ref('fct_ticket_interval') }} as intervals
    inner join {{ ref('mart_ticket_clock') }} as clocks on intervals.ticket_key = clocks.ticket_key
    where intervals.is_counted and intervals.is_unresolved
        -- A history that ends before the ticket was solved leaves the instant that the ticket itself has.
        and not (intervals.is_last and clocks.ticket_state in ('solved', 'closed'))
    union all
    select clocks.created_date, coalesce(intervals.started_date, clocks.created_date), {{ business_date('clocks.final_solved_at', 'parameters.company_time_zone') }}
    from {{ ref('mart_ticket_clock') }} as clocks
    cross join {{ source('lake', 'run_parameters') }} as parameters
    left join {{ ref('fct_ticket_interval') }} as intervals on clocks.ticket_key = intervals.ticket_key and intervals.is_last
    where clocks.is_counted and (
        (not clocks.has_states and (clocks.final_solved_at is not null or clocks.ticket_state in ('new', 'open', 'pending', 'on_hold')))
        or (intervals.is_unresolved and clocks.ticket_state in ('solved', 'closed') and clocks.final_solved_at >= intervals.started_at)
    )
),

banded as (
    {% for name, first, last in bands -%}
    select
        '{{ name }}' as age_kind,
        greatest(first_date, cast(created_date + interval {{ first }} day as date)) as first_date,
        {{ 'end_date' if last is none else 'least(end_date, cast(created_date + interval ' ~ last ~ ' day as date))' }} as end_date
    from spans
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

changes as (
    select age_kind, first_date as day, count(*) as change_count from banded where end_date is null or first_date < end_date group by age_kind, first_date
    union all
    select age_kind, end_date as day, -count(*) as change_count from banded where first_date < end_date group by age_kind, end_date
),

days as (
    select {{ day_series('calendar.first_date', 'calendar.as_of_date') }} as backlog_date from calendar
),

moved as (
    select age_kind, day, cast(sum(change_count) as bigint) as change_count from changes group by age_kind, day
),

ages as (
    select age_kind from (values {% for name, _, _ in bands %}('{{ name }}'){{ ', ' if not loop.last }}{% endfor %}) as listed (age_kind)
)

select
    days.backlog_date, ages.age_kind,
    coalesce(cast(sum(moved.change_count) over (partition by ages.age_kind order by days.backlog_date rows between unbounded preceding and current row) as bigint), 0) as open_count
from days
cross join ages
left join moved on days.backlog_date = moved.day and ages.age_kind = moved.age_kind
