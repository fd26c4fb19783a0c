{% set named = ['team_id', 'department_id', 'site_id', 'employment_kind', 'hire_date', 'hourly_cost_amount'] -%}
{% set personnel = named | join(' is not null or ') ~ ' is not null' -%}
with known as (
    select
        agents.*,
        max(case when {{ personnel }} then 1 else 0 end) over (partition by agents.agent_id) as is_known,
        max(case when {{ personnel }} then 1 else 0 end) over (partition by agents.agent_id, agents.source_system) as is_known_here
    from {{ ref('stg_agents') }} as agents
    where not agents.is_deleted and agents.is_overruled is not true
),

-- A help desk lists who may log in, with a role and nothing else: where another system knows the person, its rows alone say what holds.
listed as (
    select *, lead(valid_from_date) over (partition by agent_id order by valid_from_date) as next_from_date
    from known where is_known = is_known_here
),

-- A row holds until the next one of its agent begins, whatever end the source wrote.
valid as (
    select *, least(valid_to_date, next_from_date) as end_date from listed
),

-- A source may name the last day only on a row that begins after it: it belongs to the row that held on that day.
named_later as (
    select holding.agent_id, holding.valid_from_date, later.separation_date, later.separation_kind
    from listed as holding
    inner join listed as later
        on holding.agent_id = later.agent_id
        and holding.valid_from_date <= later.separation_date
        and holding.next_from_date > later.separation_date
        and later.valid_from_date > later.separation_date
    qualify row_number() over (partition by holding.agent_id, holding.valid_from_date order by later.valid_from_date desc) = 1
),

dim_agent as (
    select
        valid.agent_id,
        valid.valid_from_date,
        valid.end_date as valid_to_date,
        greatest(valid.valid_from_date, valid.hire_date) as employed_from_date,
        least(cast(valid.end_date - interval 1 day as date), coalesce(named_later.separation_date, valid.separation_date)) as employed_to_date,
        valid.next_from_date is null as is_latest,
        valid.team_id,
        valid.department_id,
        valid.site_id,
        valid.employment_kind,
        valid.agent_role,
        valid.hire_date,
        coalesce(valid.floor_date, valid.hire_date) as floor_date,
        coalesce(named_later.separation_date, valid.separation_date) as separation_date,
        case when named_later.separation_date is not null then named_later.separation_kind else valid.separation_kind end as separation_kind,
        valid.hourly_cost_amount as transaction_hourly_cost_amount,
        valid.credit_limit_amount as transaction_credit_limit_amount,
        valid.currency_code as transaction_currency_code,
        valid.languages,
        valid.skills
    from valid
    left join named_later on valid.agent_id = named_later.agent_id and valid.valid_from_date = named_later.valid_from_date
)

select * from dim_agent
