with periods as (
    select *, cast(row_number() over (order by period_month) as bigint) as month_number from {{ ref('dim_period') }}
),

-- The span that holds on the last day of the month counts for the month.
in_force as (
    select standards.*, periods.period_month, periods.month_number, periods.is_complete_period
    from {{ ref('dim_standard') }} as standards
    inner join periods
        on standards.valid_from_date <= periods.end_date and (standards.valid_to_date is null or standards.valid_to_date > periods.end_date) and periods.start_date <= periods.as_of_date
),

known_metrics as (
    select metric_id, max(unit) as unit from {{ ref('mart_metric') }} group by metric_id
),

figures as (
    select metric_id, period_month, cut, member, value, n, null_reason from {{ ref('mart_metric') }} where period_kind = 'month' and cut in ('all', 'channel')
    union all
    select metric_id, period_month, 'tier' as cut, account_tier as member, value, den as n, null_reason from {{ ref('tier_service_month') }}
),

valued as (
    select
        in_force.*,
        case
            when in_force.refused_reason is not null then in_force.refused_reason
            when known_metrics.metric_id is null then 'metric_unknown'
            when known_metrics.unit <> in_force.measured_unit then 'unit_differs'
            when in_force.customer_tier is not null and in_force.channel is not null then 'tier_of_a_channel'
        end as refused,
        figures.value, figures.n, coalesce(figures.null_reason, case when figures.value is null then coalesce(company.null_reason, 'no_rows') end) as value_null_reason,
        best.value as tier_a_value
    from in_force
    left join known_metrics on in_force.measured_metric_id = known_metrics.metric_id
    left join figures
        on in_force.measured_metric_id = figures.metric_id and in_force.period_month = figures.period_month
            and figures.cut = case when in_force.customer_tier is not null then 'tier' when in_force.channel is not null then 'channel' else 'all' end
            and figures.member = coalesce(in_force.customer_tier, in_force.channel, 'all')
    -- What is unknown of the company is unknown of each channel, for the same reason.
    left join figures as company on in_force.measured_metric_id = company.metric_id and in_force.period_month = company.period_month and company.cut = 'all'
    left join {{ ref('tier_service_month') }} as best
        on in_force.measured_metric_id = best.metric_id and in_force.period_month = best.period_month and best.account_tier = 'A'
            and in_force.customer_tier is not null
),

-- The margin is above 0 on the good side of the target, whichever that is.
compared as (
    select
        *, cast(target_value as double) as target,
        round(case when refused is null and measured_comparator in ('>', '>=') then value - cast(target_value as double) when refused is null then cast(target_value as double) - value end, 9) as margin,
        case when measured_unit = 'rate' then 0.02 else 0.02 * abs(cast(target_value as double)) end as clearly,
        case
            when refused is not null or customer_tier is null then null
            when measured_comparator in ('>', '>=') then round(tier_a_value - value, 9)
            else round(value - tier_a_value, 9)
        end as tier_gap_value,
        lag(month_number) over (partition by standard_id order by month_number) as number_before
    from valued
),

attained as (
    select
        *,
        case when margin is not null then margin > 0 or (margin = 0 and measured_comparator in ('>=', '<=')) end as is_attained,
        -- Only complete months make a run.
        case when is_complete_period and margin is not null then margin > 0 or (margin = 0 and measured_comparator in ('>=', '<=')) end as is_kept
    from compared
),

runs as (
    select
        *,
        cast(sum(case when is_kept is not true or number_before <> month_number - 1 then 1 else 0 end) over (partition by standard_id order by month_number rows between unbounded preceding and current row) as bigint) as kept_run,
        cast(sum(case when is_kept is not false or number_before <> month_number - 1 then 1 else 0 end) over (partition by standard_id order by month_number rows between unbounded preceding and current row) as bigint) as missed_run
    from attained
),

-- The last 12 and 6 months by their numbers, so that a month without a row is missed.
looked_back as (
    select
        now.standard_id, now.month_number,
        count(case when before.month_number > now.month_number - 12 then before.is_kept end) as known_12,
        count(case when before.month_number > now.month_number - 12 and before.is_kept then 1 end) as kept_12,
        min(case when before.month_number > now.month_number - 12 then before.margin end) as worst_12,
        count(case when before.month_number > now.month_number - 6 then before.is_kept end) as known_6,
        count(case when before.month_number > now.month_number - 6 and before.is_kept then 1 end) as kept_6,
        max(case when before.month_number > now.month_number - 6 then before.margin + before.clearly end) as best_6
    from runs as now
    inner join runs as before on now.standard_id = before.standard_id and before.month_number between now.month_number - 11 and now.month_number
    where now.is_complete_period and before.is_kept is not null
    group by now.standard_id, now.month_number
),

satisfaction as (
    select period_month, coalesce(channel, 'all') as member, min(margin) as margin, min(n) as n
    from runs
    where measured_metric_id = 'csat_rate' and customer_tier is null and margin is not null
    group by period_month, coalesce(channel, 'all')
),

mart_standard_attainment as (
    select
        runs.standard_id, runs.period_month, runs.metric_id, runs.measured_metric_id, runs.goal_kind, runs.customer_tier, runs.channel, runs.owner,
        runs.measured_comparator, runs.target_value, runs.measured_unit, runs.is_countable, runs.refused as refused_reason,
        case when runs.refused is null then runs.value end as value,
        case when runs.refused is null then runs.n end as n,
        coalesce(runs.refused, runs.value_null_reason) as null_reason,
        runs.is_attained, runs.is_complete_period,
        case when runs.is_kept is not null then count(case when runs.is_kept then 1 end) over (partition by runs.standard_id, runs.kept_run order by runs.month_number rows between unbounded preceding and current row) end as attained_streak_count,
        case when runs.is_kept is not null then count(case when not runs.is_kept then 1 end) over (partition by runs.standard_id, runs.missed_run order by runs.month_number rows between unbounded preceding and current row) end as missed_streak_count,
        case when looked_back.known_12 = 12 then cast(looked_back.kept_12 as double) / nullif(12, 0) end as attainability_rate,
        case when looked_back.known_12 = 12 then looked_back.kept_12 = 12 and looked_back.worst_12 > 0 end as is_too_easy,
        case when looked_back.known_6 = 6 then looked_back.kept_6 = 0 and looked_back.best_6 < 0 end as is_unattainable,
        case
            when runs.measured_metric_id = 'csat_rate' or not runs.is_attained then false
            when coalesce(of_channel.n, of_all.n) >= 30 and runs.is_attained then coalesce(of_channel.margin, of_all.margin) < -0.05
        end as is_watermelon,
        runs.tier_gap_value,
        -- Small customers: what tier C is promised is kept, and they are not served much worse than tier A.
        case when runs.customer_tier = 'C' and runs.measured_unit = 'rate' then runs.is_attained and coalesce(runs.tier_gap_value <= cast(parameters.small_customer_gap_share as double), true) end as is_floor_kept
    from runs
    cross join {{ source('lake', 'run_parameters') }} as parameters
    left join looked_back on runs.standard_id = looked_back.standard_id and runs.month_number = looked_back.month_number
    left join satisfaction as of_channel on runs.period_month = of_channel.period_month and runs.channel = of_channel.member
    left join satisfaction as of_all on runs.period_month = of_all.period_month and of_all.member = 'all'
)

select * from mart_standard_attainment
