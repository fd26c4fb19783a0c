-- Built completely in each run: a row of an agent that moves team changes the days of many months. Time-driven costing of people (decision 39).
with teams as (
    select
        period_month, department_id, team_id,
        coalesce(department_id, '') || '|' || coalesce(team_id, '') as team_key,
        sum(handling_seconds + available_seconds) as practical_seconds,
        sum(handling_seconds) as used_seconds
    from {{ ref('fct_agent_day') }}
    where paid_seconds is not null
    group by period_month, department_id, team_id
),

-- Lines of one pool that serve the same agents: those of their team, else of their department, else all.
pools as (
    select
        period_month, legal_entity, cost_category, pool_id, department_id, team_id,
        cast(row_number() over (order by period_month, legal_entity, cost_category, pool_id, department_id, team_id) as bigint) as pool_number,
        cast(coalesce(sum({{ minor_units('cost_amount', 'currency_decimals') }}), 0) as bigint) as pool_minor,
        count(case when cost_amount is null then 1 end) as unpriced_count,
        cast(sum(practical_capacity_minutes) * 60 as bigint) as stated_seconds,
        bool_or(cost_source = 'budget') as is_provisional
    from {{ ref('int_cost__line_placed') }}
    where is_roi_basis and cost_category = 'people'
    group by period_month, legal_entity, cost_category, pool_id, department_id, team_id
),

shares as (
    select
        pools.pool_number, pools.pool_minor, pools.stated_seconds, teams.department_id, teams.team_id, teams.team_key,
        cast(teams.practical_seconds as bigint) as practical_seconds, cast(teams.used_seconds as bigint) as used_seconds
    from pools
    inner join teams
        on pools.period_month = teams.period_month
        and teams.team_id is not distinct from coalesce(pools.team_id, teams.team_id)
        and (pools.team_id is not null or teams.department_id is not distinct from coalesce(pools.department_id, teams.department_id))
    where pools.unpriced_count = 0 and teams.practical_seconds > 0
),

handed as (
    {{ largest_remainder('shares', 'pool_number', 'pool_minor', 'practical_seconds', 'team_key') }}
),

supplied as (
    select
        *,
        base_minor + bonus_minor * bonus_count as supplied_minor,
        coalesce(stated_seconds > 0, false) as is_stated
    from handed
),

-- Cost of the time used: cost supplied * used / practical; where the books state the capacity of the pool, the team has its part of that.
used as (
    select
        *,
        cast({{ rounded_quotient(
            '(' ~ wide_integer('supplied_minor') ~ ' * used_seconds * case when is_stated then weight_total else 1 end)',
            '(' ~ wide_integer('practical_seconds') ~ ' * case when is_stated then stated_seconds else 1 end)'
        ) }} as bigint) as used_minor
    from supplied
),

months_with_time as (
    select distinct period_month from teams
),

parts as (
    select
        pools.period_month, pools.legal_entity, pools.cost_category, pools.pool_id, pools.is_provisional,
        case when used.pool_number is null then pools.department_id else used.department_id end as department_id,
        case when used.pool_number is null then pools.team_id else used.team_id end as team_id,
        used.practical_seconds, used.used_seconds, used.is_stated,
        case when pools.unpriced_count = 0 then coalesce(used.supplied_minor, pools.pool_minor) end as supplied_minor,
        used.used_minor,
        case
            when pools.unpriced_count > 0 then 'fx_missing'
            when used.pool_number is null then case when months_with_time.period_month is null then 'source_absent' else 'zero_denominator' end
        end as null_reason
    from pools
    left join used on pools.pool_number = used.pool_number
    left join months_with_time on pools.period_month = months_with_time.period_month
),

summed as (
    select
        period_month, legal_entity, cost_category, pool_id, department_id, team_id,
        max(practical_seconds) as practical_seconds,
        max(used_seconds) as used_seconds,
        max(case when is_stated then 1 else 0 end) as stated_count,
        case when count(supplied_minor) = count(*) then cast(sum(supplied_minor) as bigint) end as supplied_minor,
        case when count(null_reason) = 0 then cast(sum(used_minor) as bigint) end as used_minor,
        min(null_reason) as null_reason,
        bool_or(is_provisional) as is_provisional
    from parts
    group by period_month, legal_entity, cost_category, pool_id, department_id, team_id
),

mart_capacity_cost as (
    select
        summed.period_month,
        summed.legal_entity,
        summed.cost_category,
        summed.pool_id,
        summed.department_id,
        summed.team_id,
        watermark.reporting_currency_code as currency_code,
        summed.practical_seconds,
        summed.used_seconds,
        case when summed.stated_count > 0 then 'ledger' when summed.practical_seconds is not null then 'agent_time' end as capacity_source,
        {{ amount_of('summed.supplied_minor', 'watermark.currency_decimals') }} as supplied_amount,
        {{ amount_of('summed.used_minor', 'watermark.currency_decimals') }} as used_amount,
        {{ amount_of('(summed.supplied_minor - summed.used_minor)', 'watermark.currency_decimals') }} as unused_amount,
        {{ unit_amount(wide_integer('summed.used_minor') ~ ' * 3600', 'summed.used_seconds', 'watermark.currency_decimals') }} as used_hour_cost_amount,
        case when summed.null_reason is null then summed.supplied_minor > 0 and summed.used_minor > summed.supplied_minor end as is_over_capacity,
        summed.is_provisional,
        case when summed.supplied_minor is null then 'fx_missing' end as supplied_null_reason,
        summed.null_reason
    from summed
    cross join {{ ref('int_core__watermark') }} as watermark
)

select * from mart_capacity_cost
