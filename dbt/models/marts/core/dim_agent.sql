with listed as (
    select
        agents.*,
        lead(agents.valid_from_date) over (partition by agents.agent_id order by agents.valid_from_date) as next_from_date
    from {{ ref('stg_agents') }} as agents
    where not agents.is_deleted and agents.is_overruled is not true
),

-- A row holds until the next one of its agent begins, whatever end the source wrote.
valid as (
    select *, least(valid_to_date, next_from_date) as end_date from listed
),

dim_agent as (
    select
        agent_id,
        valid_from_date,
        end_date as valid_to_date,
        greatest(valid_from_date, hire_date) as employed_from_date,
        least(cast(end_date - interval 1 day as date), separation_date) as employed_to_date,
        next_from_date is null as is_latest,
        team_id,
        department_id,
        site_id,
        employment_kind,
        agent_role,
        hire_date,
        coalesce(floor_date, hire_date) as floor_date,
        separation_date,
        separation_kind,
        hourly_cost_amount as transaction_hourly_cost_amount,
        credit_limit_amount as transaction_credit_limit_amount,
        currency_code as transaction_currency_code,
        languages,
        skills
    from valid
)

select * from dim_agent
