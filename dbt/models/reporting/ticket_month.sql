-- What depends on the day of the data, or on all tickets of an account, is counted here and in no table of events.
with calendar as (
    select max(as_of_date) as as_of_date from {{ ref('dim_period') }}
),

parameters as (
    select company_time_zone from {{ source('lake', 'run_parameters') }}
),

clocks as (
    select
        clocks.*,
        clocks.account_id not in ('ACCOUNT_UNKNOWN', 'NON_CUSTOMER') and clocks.created_at > min(clocks.created_at) over (partition by clocks.account_id) as has_prior,
        clocks.has_history and clocks.departments_count > 1 and {{ days_between('clocks.created_date', 'calendar.as_of_date') }} > 30 as is_mature_of_several,
        {%- for kind in ['first_reply', 'first_resolution'] %}
        case
            when clocks.{{ kind }}_target_state = 'running' and {{ business_date('clocks.' ~ kind ~ '_due_at', 'parameters.company_time_zone') }} < calendar.as_of_date then 'overdue'
            else clocks.{{ kind }}_target_state
        end as {{ kind }}_state{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('mart_ticket_clock') }} as clocks
    cross join calendar
    cross join parameters
    where clocks.is_counted
),

ticket_month as (
    select
        period_month, channel, department_id,
        count(*) as tickets_count,
        {% for name, kind in {'reply': 'first_reply', 'resolution': 'first_resolution'}.items() -%}
        count(case when {{ kind }}_state = 'met' then 1 end) as {{ name }}_met_count,
        count(case when {{ kind }}_state in ('breached', 'overdue') then 1 end) as {{ name }}_missed_count,
        count(case when {{ kind }}_state in ('met', 'breached', 'overdue') then 1 end) as {{ name }}_due_count,
        count(case when {{ kind }}_state in ('running', 'paused') then 1 end) as {{ name }}_active_count,
        {% endfor -%}
        count(case when has_history and has_prior then 1 end) as prior_count,
        count(case when has_history and has_prior and is_history_viewed then 1 end) as viewed_count,
        count(case when has_history and (has_prior or handoffs_count > 0) then 1 end) as explained_count,
        count(case when has_history and (has_prior or handoffs_count > 0) and rerequests_count > 0 then 1 end) as explained_again_count,
        count(case when is_mature_of_several then 1 end) as several_mature_count,
        count(case when is_mature_of_several and is_unresolved_after_30_days then 1 end) as several_unresolved_count
    from clocks
    group by period_month, channel, department_id
)

select * from ticket_month
