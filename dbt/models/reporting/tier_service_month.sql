-- The tier with which an account enters the month: that of the month before.
with months as (
    select period_month, lag(period_month) over (order by period_month) as month_before from {{ ref('dim_period') }}
),

tiers as (
    select tiers.account_id, months.period_month, tiers.account_tier
    from {{ source('analytics', 'mart_account_tier') }} as tiers
    inner join months on tiers.period_month = months.month_before
    where tiers.account_tier is not null
),

targets as (
    select channel, started_date, max(target_seconds) as target_seconds
    from {{ ref('mart_queue_interval') }}
    where is_counted and target_seconds is not null
    group by channel, started_date
),

contacts as (
    select
        tiers.account_tier, facts.period_month,
        count(*) as offered_count,
        count(case when facts.queue_outcome = 'answered' then 1 end) as answered_count,
        count(case when facts.queue_outcome = 'abandoned' then 1 end) as abandoned_count,
        count(case when facts.queue_outcome not in ('answered', 'abandoned') or facts.wait_seconds is not null then 1 end) as judged_count,
        count(case when facts.queue_outcome = 'answered' then facts.wait_seconds end) as answered_judged_count,
        count(case when facts.queue_outcome = 'answered' and facts.wait_seconds <= targets.target_seconds then 1 end) as answered_within_count,
        cast(sum(case when facts.queue_outcome = 'answered' then facts.wait_seconds end) as bigint) as answered_wait_seconds
    from {{ ref('fct_interaction') }} as facts
    inner join tiers on facts.account_id = tiers.account_id and facts.period_month = tiers.period_month
    inner join targets on facts.channel = targets.channel and facts.started_date = targets.started_date
    where facts.queue_outcome is not null and facts.is_counted
    group by tiers.account_tier, facts.period_month
),

answers as (
    select tiers.account_tier, service.period_month, cast(sum(service.csat_num) as bigint) as satisfied_count, cast(sum(service.csat_response_count) as bigint) as answers_count
    from {{ ref('mart_account_service_month') }} as service
    inner join tiers on service.account_id = tiers.account_id and service.period_month = tiers.period_month
    group by tiers.account_tier, service.period_month
),

figures as (
    {%- for metric, num, den in [
        ('answer_rate', 'answered_count', 'offered_count'),
        ('abandonment_rate', 'abandoned_count', 'offered_count'),
        ('service_level_offered', 'answered_within_count', 'judged_count'),
        ('service_level_answered', 'answered_within_count', 'answered_judged_count'),
        ('asa_seconds', 'answered_wait_seconds', 'answered_judged_count'),
    ] %}
    select '{{ metric }}' as metric_id, account_tier, period_month, {{ num }} as num, {{ den }} as den from contacts
    union all
    {%- endfor %}
    select 'csat_rate' as metric_id, account_tier, period_month, satisfied_count as num, answers_count as den from answers
),

tier_service_month as (
    select
        metric_id, account_tier, period_month, cast(num as bigint) as num, cast(den as bigint) as den,
        cast(num as double) / nullif(cast(den as double), 0) as value, case when coalesce(den, 0) = 0 then 'zero_denominator' end as null_reason
    from figures
)

select * from tier_service_month
