-- Built completely in each run: one row of an agent changes the days of many months.
with months as (
    select
        period_month,
        start_date,
        end_date,
        least(end_date, as_of_date) as last_date,
        {{ days_between('start_date', 'least(end_date, as_of_date)') }} + 1 as period_days
    from {{ ref('dim_period') }}
    where start_date <= as_of_date
),

agents as (
    select
        *,
        lag(team_id) over (partition by agent_id order by valid_from_date) as previous_team_id,
        lag(department_id) over (partition by agent_id order by valid_from_date) as previous_department_id,
        lag(site_id) over (partition by agent_id order by valid_from_date) as previous_site_id,
        lag(valid_to_date) over (partition by agent_id order by valid_from_date) as previous_to_date,
        lead(valid_from_date) over (partition by agent_id order by valid_from_date) as next_from_date,
        cast(floor_date - interval 1 day as date) as class_date
    from {{ ref('dim_agent') }}
),

-- Days of each row of an agent within each month, and those of them before the first day with customers.
days as (
    select
        months.period_month, agents.team_id, agents.department_id, agents.site_id,
        {{ days_between('greatest(agents.employed_from_date, months.start_date)', 'least(agents.employed_to_date, months.last_date)') }} + 1 as agent_days,
        greatest(0, {{ days_between('greatest(agents.employed_from_date, months.start_date)', 'least(agents.employed_to_date, agents.class_date, months.last_date)') }} + 1) as class_days,
        agents.class_date is not null as has_class
    from agents
    inner join months on agents.employed_from_date <= months.last_date and (agents.employed_to_date is null or agents.employed_to_date >= months.start_date)
    where agents.employed_to_date is null or agents.employed_to_date >= agents.employed_from_date
),

-- A separation belongs to the row that held on the last day employed.
separations as (
    select months.period_month, agents.team_id, agents.department_id, agents.site_id, coalesce(agents.separation_kind, 'unknown') as separation_kind, coalesce(agents.separation_date < agents.floor_date, false) as is_trainee
    from agents
    inner join months on agents.separation_date between months.start_date and months.last_date
    where agents.separation_date >= agents.valid_from_date and (agents.next_from_date is null or agents.separation_date < agents.next_from_date)
),

moves as (
    select agents.*, months.period_month
    from agents
    inner join months on agents.valid_from_date between months.start_date and months.last_date
    where agents.previous_to_date = agents.valid_from_date and agents.team_id is distinct from agents.previous_team_id
        and (agents.employed_to_date is null or agents.employed_to_date >= agents.valid_from_date)
),

ramp as (
    select
        period_month, team_id, department_id, site_id,
        count(paid_seconds) as timed_count,
        count(case when ramp_gap_share > 0 and worked_seconds > 0 and hourly_cost_amount is null then 1 end) as unknown_count,
        sum({{ wide_integer('worked_seconds') }} * cast(ramp_gap_share * 10000 as bigint) * {{ minor_units('hourly_cost_amount', 'currency_decimals') }}) as ramp_product
    from {{ ref('fct_agent_day') }}
    cross join (select currency_decimals from {{ ref('int_core__watermark') }}) as currency
    where paid_seconds is not null
    group by period_month, team_id, department_id, site_id
),

parts as (
    select period_month, team_id, department_id, site_id, agent_days, case when has_class then class_days else 0 end as trainee_days, cast(null as string) as left_kind, false as is_trainee, 0 as in_count, 0 as out_count from days
    union all
    select period_month, team_id, department_id, site_id, 0, 0, separation_kind, is_trainee, 0, 0 from separations
    union all
    select period_month, team_id, department_id, site_id, 0, 0, cast(null as string), false, 1, 0 from moves
    union all
    select period_month, previous_team_id, previous_department_id, previous_site_id, 0, 0, cast(null as string), false, 0, 1 from moves
),

summed as (
    select
        period_month, team_id, department_id, site_id,
        cast(sum(agent_days - trainee_days) as bigint) as agent_days,
        cast(sum(trainee_days) as bigint) as trainee_days,
        {%- for kind in ['voluntary', 'involuntary', 'end_of_contract', 'transfer', 'unknown'] %}
        count(case when left_kind = '{{ kind }}' and not is_trainee then 1 end) as {{ kind }}_count,
        {%- endfor %}
        count(case when left_kind <> 'transfer' and not is_trainee then 1 end) as separations_count,
        count(case when left_kind <> 'transfer' and is_trainee then 1 end) as trainee_separations_count,
        cast(sum(in_count) as bigint) as moves_in_count,
        cast(sum(out_count) as bigint) as moves_out_count
    from parts
    group by period_month, team_id, department_id, site_id
),

mart_workforce_turnover as (
    select
        summed.*,
        months.period_days,
        cast(cast({{ rounded_quotient('summed.agent_days', 'months.period_days', 1000000) }} as decimal(18, 0)) * cast(0.000001 as decimal(7, 6)) as decimal(18, 6)) as average_agent_count,
        cast(cast({{ rounded_quotient('summed.trainee_days', 'months.period_days', 1000000) }} as decimal(18, 0)) * cast(0.000001 as decimal(7, 6)) as decimal(18, 6)) as average_trainee_count,
        summed.separations_count * months.period_days as separation_period_days,
        summed.separations_count * 365 as separation_year_days,
        case when ramp.unknown_count = 0 then {{ amount_of('cast(' ~ rounded_quotient('coalesce(ramp.ramp_product, 0)', '36000000') ~ ' as bigint)', 'watermark.currency_decimals') }} end as ramp_cost_memo_amount,
        case when ramp.timed_count is null then 'source_absent' when ramp.unknown_count > 0 then 'hourly_cost_absent' end as ramp_null_reason
    from summed
    inner join months on summed.period_month = months.period_month
    cross join {{ ref('int_core__watermark') }} as watermark
    left join ramp
        on summed.period_month = ramp.period_month
        and summed.team_id is not distinct from ramp.team_id
        and summed.department_id is not distinct from ramp.department_id
        and summed.site_id is not distinct from ramp.site_id
)

select * from mart_workforce_turnover
