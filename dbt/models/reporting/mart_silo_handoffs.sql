with handoffs as (
    select * from {{ ref('fct_ticket_interval') }} where is_handoff and is_counted
)

select
    started_period_month as period_month, previous_department_id as from_department_id, department_id as to_department_id,
    count(*) as handoffs_count, count(distinct ticket_key) as tickets_count,
    count(case when is_ping_pong then 1 end) as ping_pongs_count, count(case when is_information_lost then 1 end) as information_losses_count,
    count(next_action_seconds) as acted_count, cast(sum(next_action_seconds) as bigint) as next_action_seconds
from handoffs
group by started_period_month, previous_department_id, department_id
