-- One row per agent and month for scorecards and training; nothing is measured here that the facts do not hold.
with months as (
    select
        period_month, start_date, least(end_date, as_of_date) as last_date,
        cast(least(end_date, as_of_date) - interval 365 day as date) as year_ago_date,
        cast(row_number() over (order by period_month) as bigint) as month_number
    from {{ ref('dim_period') }}
    where start_date <= as_of_date
),

-- The last row of an agent in the month, while employed.
employed as (
    select
        months.period_month, months.last_date, months.year_ago_date, months.month_number,
        agents.agent_id, agents.team_id, agents.department_id, agents.site_id, agents.agent_role, agents.hire_date,
        agents.employed_to_date is null or agents.employed_to_date >= months.last_date as is_employed_at_end,
        coalesce(agents.floor_date > months.last_date, false) as is_trainee
    from {{ ref('dim_agent') }} as agents
    inner join months on agents.employed_from_date <= months.last_date and (agents.employed_to_date is null or agents.employed_to_date >= months.start_date)
    where agents.employed_to_date is null or agents.employed_to_date >= agents.employed_from_date
    qualify row_number() over (partition by agents.agent_id, months.period_month order by agents.valid_from_date desc) = 1
),

work as (
    select
        agent_id, period_month,
        cast(sum(contacts_handled_count) as bigint) as contacts_handled_count,
        cast(sum(contacts_timed_count) as bigint) as contacts_timed_count,
        cast(sum(handle_seconds) as bigint) as handle_seconds,
        cast(sum(expected_handle_seconds) as decimal(18, 3)) as expected_handle_seconds,
        cast(sum(tickets_resolved_count) as bigint) as tickets_resolved_count,
        cast(sum(worked_seconds) as bigint) as worked_seconds,
        cast(sum(worked_shift_count) as decimal(18, 6)) as worked_shift_count
    from {{ ref('fct_agent_day') }}
    group by agent_id, period_month
),

-- Every training up to the end of the month; those of the last 365 days apart.
history as (
    select
        employed.agent_id, employed.period_month,
        max(training.training_date) as latest_date,
        max(case when training.training_date > employed.year_ago_date then training.since_previous_days end) as gap_days,
        count(distinct case when training.training_date > employed.year_ago_date then training.period_month end) as training_months_count,
        count(case when training.period_month = employed.period_month then 1 end) as trainings_count,
        cast(coalesce(sum(case when training.period_month = employed.period_month then training.training_hours end), 0) as decimal(18, 2)) as training_hours,
        bool_or(training.certification is not null and (training.certification_valid_to_date is null or training.certification_valid_to_date >= employed.last_date)) as is_certified
    from employed
    inner join {{ ref('fct_training') }} as training on employed.agent_id = training.agent_id and employed.last_date >= training.training_date
    group by employed.agent_id, employed.period_month
),

tenure as (
    select employed.agent_id, employed.period_month, count(*) as employed_months_count
    from employed
    inner join employed as earlier on employed.agent_id = earlier.agent_id and earlier.month_number between employed.month_number - 11 and employed.month_number
    group by employed.agent_id, employed.period_month
),

keys as (
    select agent_id, period_month from employed
    union
    select agent_id, period_month from work
),

presence as (
    select coalesce(bool_or(feed = 'training_events' and is_present), false) as has_training, coalesce(bool_or(feed = 'agents' and is_present), false) as has_agents from {{ source('lake', 'feed_presence') }}
),

joined as (
    select
        keys.agent_id, keys.period_month, employed.team_id, employed.department_id, employed.site_id, employed.agent_role,
        employed.agent_id is not null as is_employed,
        coalesce(employed.is_employed_at_end and not employed.is_trainee, false) as is_on_floor_at_end,
        work.contacts_handled_count, work.contacts_timed_count, work.handle_seconds, work.expected_handle_seconds, work.tickets_resolved_count, work.worked_seconds, work.worked_shift_count,
        presence.has_training,
        presence.has_agents,
        coalesce(history.trainings_count, 0) as trainings_count,
        coalesce(history.training_hours, 0) as training_hours,
        coalesce(history.training_months_count, 0) as training_months_count,
        tenure.employed_months_count,
        coalesce(history.is_certified, false) as is_certified,
        {{ days_between('coalesce(history.latest_date, employed.hire_date)', 'employed.last_date') }} as since_training_days,
        history.gap_days
    from keys
    cross join presence
    left join employed on keys.agent_id = employed.agent_id and keys.period_month = employed.period_month
    left join tenure on keys.agent_id = tenure.agent_id and keys.period_month = tenure.period_month
    left join work on keys.agent_id = work.agent_id and keys.period_month = work.period_month
    left join history on keys.agent_id = history.agent_id and keys.period_month = history.period_month
),

agent_month as (
    select
        period_month, agent_id, team_id, department_id, site_id, agent_role, is_employed, is_on_floor_at_end,
        coalesce(contacts_handled_count, 0) as contacts_handled_count,
        coalesce(contacts_timed_count, 0) as contacts_timed_count,
        coalesce(handle_seconds, 0) as handle_seconds,
        coalesce(expected_handle_seconds, 0) as expected_handle_seconds,
        case when contacts_timed_count >= 30 then cast(handle_seconds as double) / nullif(cast(expected_handle_seconds as double), 0) end as mix_adjusted_handle_ratio,
        case when coalesce(contacts_timed_count, 0) < 30 then 'n_below_30' when expected_handle_seconds = 0 then 'zero_denominator' end as handle_null_reason,
        coalesce(tickets_resolved_count, 0) as tickets_resolved_count,
        worked_seconds,
        worked_shift_count,
        case when tickets_resolved_count >= 30 then cast(tickets_resolved_count as double) / nullif(cast(worked_shift_count as double), 0) end as resolutions_per_shift_ratio,
        case when coalesce(tickets_resolved_count, 0) < 30 then 'n_below_30' when worked_shift_count is null then 'source_absent' when worked_shift_count = 0 then 'zero_denominator' end as resolutions_null_reason,
        case when has_training then trainings_count end as trainings_count,
        case when has_training then training_hours end as trained_hours,
        has_training and trainings_count > 0 as is_trained_in_month,
        case when has_training then is_certified end as is_certified,
        case when has_training and is_employed then training_months_count end as training_months_count,
        case when is_employed then employed_months_count end as employed_months_count,
        case when has_training then since_training_days end as since_training_days,
        case when has_training then greatest(since_training_days, gap_days) end as training_gap_max_days,
        case when not (has_training and has_agents) then 'source_absent' when not is_employed then 'agent_unknown' when since_training_days is null then 'hire_date_absent' end as training_null_reason
    from joined
)

select * from agent_month
