{{ config(tags=['gate']) }}
-- Breaks: time of a ticket is in two stages or in none, and every share of elapsed time is wrong. The intervals of a ticket must follow each
-- other and add up to the time from its creation to its last event, to the second.
with intervals as (
    select
        ticket_key, started_at, ended_at, calendar_seconds,
        lead(started_at) over (partition by ticket_key order by interval_number) as next_started_at
    from {{ ref('fct_ticket_interval') }}
    where {{ affected() }}
),

sums as (
    select ticket_key, cast(sum(calendar_seconds) as bigint) as calendar_seconds from intervals group by ticket_key
)

select 'sum' as broken, clocks.ticket_key
from {{ ref('mart_ticket_clock') }} as clocks
left join sums on clocks.ticket_key = sums.ticket_key
where clocks.has_history and {{ affected('clocks.period_month') }} and sums.calendar_seconds is distinct from {{ elapsed_seconds('clocks.created_at', 'clocks.last_event_at') }}
union all
select 'gap' as broken, ticket_key from intervals where ended_at is distinct from next_started_at
