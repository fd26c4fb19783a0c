with standards as (
    select * from {{ ref('stg_service_standards') }} where not is_deleted and is_overruled is not true
),

spans as (
    -- A span without an end is ended by the next one.
    select *, coalesce(valid_to_date, lead(valid_from_date) over (partition by standard_id order by valid_from_date)) as ends_date
    from standards
),

judged as (
    select
        *,
        case
            when threshold_value is null then 'no_threshold'
            when metric_id is null then 'no_metric'
            when comparator is null then 'no_comparator'
            when unit is null then 'no_unit'
            when population is null then 'no_population'
            when target_share is null then 'no_target_share'
        end as refused_reason,
        metric_id in ('service_level_offered', 'service_level_net_short', 'service_level_answered', 'service_level_with_abandoned') and unit in ('seconds', 's') as is_service_level,
        metric_id = 'ring_count' and ((comparator = '<' and threshold_value = 3) or (comparator = '<=' and threshold_value = 2)) as is_third_ring
    from spans
),

dim_standard as (
    select
        standard_id, valid_from_date, ends_date as valid_to_date, metric_id, comparator, threshold_value, unit, population, target_share, goal_kind,
        customer_tier, channel, owner, refused_reason is null as is_countable, refused_reason,
        case when is_third_ring then 'answered_before_ring_3_rate' else metric_id end as measured_metric_id,
        -- What is a limit for one contact is kept where the share of contacts within it is reached.
        case when is_service_level or is_third_ring then '>=' else comparator end as measured_comparator,
        cast(case when is_service_level or is_third_ring then target_share when unit in ('%', 'percent') then threshold_value * 0.01 else threshold_value end as decimal(18, 6)) as target_value,
        case when is_service_level or is_third_ring or unit in ('%', 'percent', 'share') then 'rate' when unit = 's' then 'seconds' else unit end as measured_unit
    from judged
)

select * from dim_standard
