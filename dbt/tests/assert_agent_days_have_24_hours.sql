{{ config(severity='warn') }}
-- Breaks: states overlap or a shift came twice, so that occupancy and utilisation of the team are wrong on that day.
select 'fct_agent_day' as relation, agent_id || '/' || cast(work_date as string) as agent_day, paid_seconds from {{ ref('fct_agent_day') }} where is_time_overlapping
