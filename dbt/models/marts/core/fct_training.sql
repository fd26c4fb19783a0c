-- Not monthly: the gap before a training, and whether a year's hours are one event, depend on other trainings of the agent.
with events as (
    select
        events.agent_id,
        events.module_id,
        events.started_at,
        events.training_topic,
        events.training_format,
        -- Who plays a role takes part, whatever the source marks.
        coalesce(events.is_interactive, false) or coalesce(events.training_format = 'role_play', false) as is_interactive,
        coalesce(events.is_customised, false) as is_customised,
        case when coalesce(events.is_customised, false) then events.customised_for end as customised_for,
        events.module_version_date,
        events.training_hours,
        cast(events.training_hours * 100 as bigint) as hundredths,
        events.training_score,
        events.scale_max,
        events.certification,
        events.certification_valid_to_date,
        {{ business_date('events.started_at', 'watermark.company_time_zone') }} as training_date
    from {{ ref('stg_training_events') }} as events
    cross join {{ ref('int_core__watermark') }} as watermark
    where not events.is_deleted and events.is_overruled is not true
),

-- Hours of the 30 days that begin with each training, within its calendar year.
near as (
    select events.agent_id, events.module_id, events.started_at, sum(later.hundredths) as window_hundredths
    from events
    inner join events as later
        on events.agent_id = later.agent_id
        and year(events.training_date) = year(later.training_date)
        and {{ days_between('events.training_date', 'later.training_date') }} between 0 and 29
    group by events.agent_id, events.module_id, events.started_at
),

windows as (
    select
        events.*,
        near.window_hundredths,
        cast(year(events.training_date) as bigint) as training_year,
        lag(events.training_date) over (partition by events.agent_id order by events.started_at, events.module_id) as previous_date
    from events
    inner join near on events.agent_id = near.agent_id and events.module_id = near.module_id and events.started_at = near.started_at
),

years as (
    select
        *,
        max(window_hundredths) over (partition by agent_id, training_year) * 5 >= sum(hundredths) over (partition by agent_id, training_year) * 4 as is_event_like
    from windows
),

-- Which of the purposes a module is fitted to, in the order of the columns; each gets an equal part of the hours, to the hundredth.
purposes as (
    select
        *,
        {%- for purpose in ['demographics', 'role', 'product', 'customer_issue'] %}
        case when ',' || customised_for || ',' like '%,{{ purpose }},%' then 1 else 0 end as is_{{ purpose }}{{ ',' if not loop.last }}
        {%- endfor %}
    from years
),

fct_training as (
    select
        purposes.agent_id,
        purposes.module_id,
        purposes.started_at,
        purposes.training_date,
        days.period_month,
        agents.team_id,
        agents.department_id,
        agents.site_id,
        purposes.training_topic,
        purposes.training_format,
        purposes.is_interactive,
        coalesce(purposes.training_format = 'role_play', false) as is_role_play,
        purposes.is_customised,
        purposes.customised_for,
        purposes.training_hours,
        {%- set found = namespace(before='0') -%}
        {%- set count = '(purposes.is_demographics + purposes.is_role + purposes.is_product + purposes.is_customer_issue)' -%}
        {%- for purpose in ['demographics', 'role', 'product', 'customer_issue'] %}
        cast(cast(case when purposes.is_{{ purpose }} = 1 then coalesce({{ integer_quotient('purposes.hundredths + ' ~ count ~ ' - 1 - (' ~ found.before ~ ')', count) }}, 0) else 0 end as decimal(9, 0)) * cast(0.01 as decimal(3, 2)) as decimal(9, 2)) as {{ purpose }}_hours,
        {%- set found.before = found.before ~ ' + purposes.is_' ~ purpose -%}
        {%- endfor %}
        case when purposes.is_customised and {{ count }} = 0 then purposes.training_hours else cast(0 as decimal(9, 2)) end as unnamed_purpose_hours,
        purposes.module_version_date,
        {{ days_between('purposes.module_version_date', 'purposes.training_date') }} as module_age_days,
        {{ days_between('purposes.module_version_date', 'purposes.training_date') }} > 365 as is_outdated,
        case when purposes.training_score <= purposes.scale_max then
            cast(cast({{ rounded_quotient('cast(purposes.training_score * 10000 as bigint)', 'cast(purposes.scale_max * 10000 as bigint)', 1000000) }} as decimal(9, 0)) * cast(0.000001 as decimal(7, 6)) as decimal(9, 6))
        end as score_share,
        purposes.certification,
        purposes.certification_valid_to_date,
        {{ days_between('coalesce(purposes.previous_date, agents.hire_date)', 'purposes.training_date') }} as since_previous_days,
        purposes.training_year,
        purposes.is_event_like
    from purposes
    left join {{ ref('int_core__period_day') }} as days on purposes.training_date = days.day
    left join {{ ref('dim_agent') }} as agents
        on purposes.agent_id = agents.agent_id
        and purposes.training_date >= agents.valid_from_date
        and (agents.valid_to_date is null or purposes.training_date < agents.valid_to_date)
)

select * from fct_training
