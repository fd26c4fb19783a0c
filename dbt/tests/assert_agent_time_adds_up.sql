{{ config(tags=['gate']) }}
-- Breaks: shares of paid time do not add up to one. The states of a day are its paid time, and who moves out of a team moves into another.
select 'states' as broken, agent_id, work_date as day
from {{ ref('fct_agent_day') }}
where paid_seconds <> handling_seconds + available_seconds + break_seconds + training_seconds + meeting_seconds + absence_seconds
union all
select 'moves' as broken, cast(null as string) as agent_id, period_month as day
from {{ ref('mart_workforce_turnover') }}
group by period_month
having sum(moves_in_count) <> sum(moves_out_count)
