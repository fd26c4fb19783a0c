with watermark as (
    select * from {{ ref('int_core__watermark') }}
),

-- Rings are counted in the country of the company, or in the only one that the feed has.
cadence as (
    select min(cadences.ring_cycle_seconds) as ring_cycle_seconds
    from {{ ref('stg_ring_cadence') }} as cadences
    cross join watermark
    where not cadences.is_deleted and cadences.is_overruled is not true and (watermark.company_country_code is null or cadences.country_code = watermark.company_country_code)
    having count(distinct cadences.country_code) = 1
),

targets as (
    select channel, valid_from_date, valid_to_date, standard_id, cast(floor(case when comparator = '<' then threshold_value - 0.0001 else threshold_value end) as bigint) as target_seconds
    from {{ ref('stg_service_standards') }}
    where
        metric_id in ('service_level_offered', 'service_level_net_short', 'service_level_answered', 'service_level_with_abandoned') and unit in ('seconds', 's') and comparator in ('<', '<=') and threshold_value > 0 and customer_tier is null
        and not is_deleted and is_overruled is not true
),

calls as (
    select
        facts.queue, facts.channel, facts.department_id, facts.started_date, facts.period_month, facts.queue_outcome, facts.wait_seconds,
        {{ integer_quotient(local_minutes('facts.started_at', 'watermark.company_time_zone'), 30) }} * 30 as interval_start_minutes,
        watermark.short_abandon_seconds,
        case when facts.queue_outcome = 'answered' then facts.handle_seconds end as handle_seconds,
        -- Behind a voice menu a ring counts from the call of the agent; one before the menu says nothing.
        case
            when facts.queue_outcome <> 'answered' or facts.channel <> 'phone' then null
            when facts.ring_count is not null then facts.ring_count <= 2
            when {{ elapsed_seconds('facts.started_at', 'facts.ring_started_at') }} >= coalesce(facts.ivr_seconds, 0)
                then {{ elapsed_seconds('facts.ring_started_at', 'facts.answered_at') }} < 2 * cadence.ring_cycle_seconds
        end as is_before_ring_3
    from {{ ref('int_service__interaction_placed') }} as facts
    cross join watermark
    left join cadence on true
    where facts.queue_outcome is not null and facts.is_counted
),

reported as (
    select
        intervals.*, {{ business_date('intervals.interval_started_at', 'watermark.company_time_zone') }} as started_date,
        {{ integer_quotient(local_minutes('intervals.interval_started_at', 'watermark.company_time_zone'), 30) }} * 30 as interval_start_minutes
    from {{ ref('stg_queue_intervals') }} as intervals
    cross join watermark
    where not intervals.is_deleted and intervals.is_overruled is not true
),

channel_days as (
    select channel, started_date from calls
    union
    select channel, started_date from reported
),

target_days as (
    select channel_days.channel, channel_days.started_date, coalesce(targets.target_seconds, watermark.answer_target_seconds) as target_seconds
    from channel_days
    cross join watermark
    left join targets
        on (targets.channel is null or channel_days.channel = targets.channel)
            and channel_days.started_date >= targets.valid_from_date and (targets.valid_to_date is null or channel_days.started_date < targets.valid_to_date)
    qualify row_number() over (
        partition by channel_days.channel, channel_days.started_date
        order by case when targets.channel is null then 1 else 0 end, targets.valid_from_date desc, targets.standard_id
    ) = 1
),

of_calls as (
    select
        calls.queue, calls.channel, calls.department_id, calls.started_date, calls.interval_start_minutes, calls.period_month, targets.target_seconds,
        count(*) as offered_count,
        {%- for outcome in ['answered', 'abandoned', 'blocked', 'voicemail', 'callback', 'unknown'] %}
        count(case when calls.queue_outcome = '{{ outcome }}' then 1 end) as {{ outcome }}_count,
        {%- endfor %}
        count(case when calls.queue_outcome = 'abandoned' and calls.wait_seconds < calls.short_abandon_seconds then 1 end) as short_abandoned_count,
        count(case when calls.queue_outcome not in ('answered', 'abandoned') or calls.wait_seconds is not null then 1 end) as judged_count,
        count(case when calls.queue_outcome = 'answered' then calls.wait_seconds end) as answered_judged_count,
        count(case when calls.queue_outcome = 'answered' and calls.wait_seconds <= targets.target_seconds then 1 end) as answered_within_count,
        count(case when calls.queue_outcome = 'abandoned' and calls.wait_seconds <= targets.target_seconds then 1 end) as abandoned_within_count,
        count(calls.wait_seconds) as wait_known_count,
        cast(coalesce(sum(calls.wait_seconds), 0) as bigint) as wait_seconds,
        count(case when calls.queue_outcome = 'answered' then calls.wait_seconds end) as answered_wait_known_count,
        cast(coalesce(sum(case when calls.queue_outcome = 'answered' then calls.wait_seconds end), 0) as bigint) as answered_wait_seconds,
        max(calls.wait_seconds) as longest_wait_seconds,
        count(case when calls.is_before_ring_3 then 1 end) as answered_before_ring_3_count,
        count(calls.is_before_ring_3) as ring_known_count,
        count(calls.handle_seconds) as handle_known_count,
        cast(coalesce(sum(calls.handle_seconds), 0) as bigint) as handle_seconds,
        cast(null as decimal(9, 3)) as staffed_agents_count
    from calls
    inner join target_days as targets on calls.channel = targets.channel and calls.started_date = targets.started_date
    group by calls.queue, calls.channel, calls.department_id, calls.started_date, calls.interval_start_minutes, calls.period_month, targets.target_seconds
),

-- Rows of less than half an hour are added up; a part that one of them does not report is not known.
of_intervals as (
    select
        reported.queue, reported.channel, reported.department_id, reported.started_date, reported.interval_start_minutes, days.period_month, targets.target_seconds,
        {%- for name in ['offered', 'answered', 'abandoned'] %}
        cast(sum(reported.{{ name }}_count) as bigint) as {{ name }}_count,
        {%- endfor %}
        {%- for name in ['short_abandoned', 'blocked', 'voicemail', 'callback'] %}
        case when count(*) = count(reported.{{ name }}_count) then cast(sum(reported.{{ name }}_count) as bigint) end as {{ name }}_count,
        {%- endfor %}
        cast(
            sum(reported.offered_count - reported.answered_count - reported.abandoned_count)
            {%- for name in ['blocked', 'voicemail', 'callback'] %}
            - case when count(*) = count(reported.{{ name }}_count) then sum(reported.{{ name }}_count) else 0 end
            {%- endfor %}
            as bigint
        ) as unknown_count,
        {%- for name in ['answered', 'abandoned'] %}
        case when count(*) = count(case when reported.target_seconds = targets.target_seconds then reported.{{ name }}_within_count end) then cast(sum(reported.{{ name }}_within_count) as bigint) end as {{ name }}_within_count,
        {%- endfor %}
        {%- for name in ['wait_seconds', 'answered_wait_seconds', 'handle_seconds'] %}
        case when count(*) = count(reported.{{ name }}) then cast(sum(reported.{{ name }}) as bigint) end as {{ name }},
        {%- endfor %}
        max(reported.longest_wait_seconds) as longest_wait_seconds,
        max(reported.staffed_agents_count) as staffed_agents_count
    from reported
    inner join {{ ref('int_core__period_day') }} as days on reported.started_date = days.day
    inner join target_days as targets on reported.channel = targets.channel and reported.started_date = targets.started_date
    group by reported.queue, reported.channel, reported.department_id, reported.started_date, reported.interval_start_minutes, days.period_month, targets.target_seconds
),

called_days as (
    select distinct queue, channel, started_date from of_calls
),

counted as (
    select
        queue, channel, department_id, started_date, interval_start_minutes, period_month, target_seconds, offered_count, answered_count, abandoned_count,
        short_abandoned_count, blocked_count, voicemail_count, callback_count, unknown_count, longest_wait_seconds, staffed_agents_count,
        nullif(judged_count, 0) as judged_count,
        nullif(answered_judged_count, 0) as answered_judged_count,
        case when judged_count > 0 then answered_within_count end as answered_within_count,
        case when judged_count > 0 then abandoned_within_count end as abandoned_within_count,
        nullif(wait_known_count, 0) as wait_known_count,
        case when wait_known_count > 0 then wait_seconds end as wait_seconds,
        nullif(answered_wait_known_count, 0) as answered_wait_known_count,
        case when answered_wait_known_count > 0 then answered_wait_seconds end as answered_wait_seconds,
        nullif(ring_known_count, 0) as ring_known_count,
        case when ring_known_count > 0 then answered_before_ring_3_count end as answered_before_ring_3_count,
        nullif(handle_known_count, 0) as handle_known_count,
        case when handle_known_count > 0 then handle_seconds end as handle_seconds,
        'calls' as interval_source, true as is_counted
    from of_calls
    union all
    select
        intervals.queue, intervals.channel, intervals.department_id, intervals.started_date, intervals.interval_start_minutes, intervals.period_month, intervals.target_seconds,
        intervals.offered_count, intervals.answered_count, intervals.abandoned_count, intervals.short_abandoned_count, intervals.blocked_count, intervals.voicemail_count,
        intervals.callback_count, intervals.unknown_count, intervals.longest_wait_seconds, intervals.staffed_agents_count,
        case when intervals.answered_within_count is not null then intervals.offered_count end as judged_count,
        case when intervals.answered_within_count is not null then intervals.answered_count end as answered_judged_count,
        intervals.answered_within_count, intervals.abandoned_within_count,
        case when intervals.wait_seconds is not null then intervals.offered_count end as wait_known_count, intervals.wait_seconds,
        case when intervals.answered_wait_seconds is not null then intervals.answered_count end as answered_wait_known_count, intervals.answered_wait_seconds,
        cast(null as bigint) as ring_known_count, cast(null as bigint) as answered_before_ring_3_count,
        case when intervals.handle_seconds is not null then intervals.answered_count end as handle_known_count, intervals.handle_seconds,
        -- Where the calls of a queue and day are known, the sums that the switch reports of it are shown and not counted.
        'intervals' as interval_source, called_days.queue is null as is_counted
    from of_intervals as intervals
    left join called_days on intervals.queue = called_days.queue and intervals.channel = called_days.channel and intervals.started_date = called_days.started_date
)

select * from counted
