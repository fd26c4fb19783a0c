-- Maturity is applied here: what became of a session counts at window N once N days are over.
with as_of as (
    select min(as_of_date) as as_of_date, bool_or(presence.is_present) as has_sessions
    from {{ ref('dim_period') }}
    cross join (select is_present from {{ source('lake', 'feed_presence') }} as feeds where feed = 'self_service_sessions') as presence
),

by_window as (
    {% for days in [1, 3, 7, 14] %}
    select sessions.*, {{ days }} as window_days, verified_{{ days }}_state as verified_state, matures_on_{{ days }} as matures_on from {{ ref('fct_self_service_session') }} as sessions where is_counted
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

judged as (
    select
        by_window.*,
        by_window.matures_on <= as_of.as_of_date as is_mature,
        coalesce(by_window.next_contact_gap_seconds <= by_window.window_days * 86400, false) as is_contacted
    from by_window
    cross join as_of
),

counted as (
    select
        period_month,
        window_days,
        channel,
        intent,
        count(*) as sessions_count,
        count(case when is_mature then 1 end) as mature_count,
        count(case when is_mature and verified_state = 'contained' then 1 end) as contained_count,
        count(case when is_mature and verified_state = 'escalated' then 1 end) as escalated_count,
        count(case when is_mature and verified_state = 'abandoned' then 1 end) as abandoned_count,
        count(case when is_mature and verified_state = 'unknown' then 1 end) as unknown_count,
        count(case when is_mature and is_identified then 1 end) as identified_count,
        count(case when is_mature and is_identified and not is_contacted then 1 end) as no_contact_count,
        count(case when is_mature and claimed_state = 'contained' then 1 end) as claimed_count,
        count(case when is_mature and claimed_state = 'contained' and is_identified then 1 end) as claimed_identified_count,
        count(case when is_mature and verified_state = 'contained' and claimed_state = 'contained' then 1 end) as claimed_held_count,
        count(case when is_mature and is_contacted and is_last_before_contact then 1 end) as contacts_after_count,
        count(case when is_mature and is_contacted and is_last_before_contact and next_channel = 'phone' then 1 end) as calls_after_count,
        count(case when is_agent_requested then 1 end) as agent_requested_count,
        count(choice_reason) as reason_count,
        count(case when choice_reason = 'avoid_agent' then 1 end) as avoid_agent_count,
        cast(sum(case when is_mature and claimed_state = 'contained' then claim_price_amount end) as decimal(18, 3)) as claim_price_amount,
        min(case when is_mature then claim_price_null_reason end) as claim_price_null_reason,
        cast(sum(case when is_mature and claimed_state = 'contained' and is_contacted and is_last_before_contact then next_contact_cost_amount end) as decimal(18, 3)) as claim_contact_cost_amount,
        min(case when is_mature and claimed_state = 'contained' and is_contacted and is_last_before_contact and next_contact_cost_amount is null then next_contact_cost_null_reason end) as claim_contact_cost_null_reason
    from judged
    group by period_month, window_days, channel, intent
),

firsts as (
    select min(period_month) as first_month from counted
),

every_month as (
    select dim_period.period_month, windows.window_days, coalesce(as_of.has_sessions and dim_period.period_month >= firsts.first_month, false) as has_sessions
    from {{ ref('dim_period') }} as dim_period
    cross join as_of
    cross join firsts
    cross join (select 1 as window_days union all select 3 union all select 7 union all select 14) as windows
    where dim_period.start_date <= dim_period.as_of_date
),

filled as (
    {{ filled_windows('every_month', 'counted', 'sessions_count', 'has_sessions') }}
)

select
    month as period_month,
    cast(days as bigint) as window_days,
    channel,
    intent,
    coalesce(channel in ('ivr', 'vru'), false) as is_voice_menu,
    {%- for name in ['sessions', 'agent_requested', 'reason', 'avoid_agent'] %}
    case when has_sessions then coalesce({{ name }}_count, 0) end as {{ name }}_count,
    {%- endfor %}
    {%- for name in ['mature', 'contained', 'escalated', 'abandoned', 'unknown', 'identified', 'no_contact', 'claimed', 'claimed_identified', 'claimed_held', 'contacts_after', 'calls_after'] %}
    case when has_sessions and is_known then coalesce({{ name }}_count, 0) end as {{ name }}_count,
    {%- endfor %}
    case when has_sessions and is_known and claim_price_null_reason is null then coalesce(claim_price_amount, 0) end as claim_price_amount,
    case when has_sessions and is_known and claim_contact_cost_null_reason is null then coalesce(claim_contact_cost_amount, 0) end as claim_contact_cost_amount,
    case when not has_sessions then 'source_absent' end as sessions_null_reason,
    case when not has_sessions then 'source_absent' when not is_known then 'not_mature' end as null_reason,
    case when not has_sessions then 'source_absent' when not is_known then 'not_mature' else claim_price_null_reason end as claim_price_null_reason,
    case when not has_sessions then 'source_absent' when not is_known then 'not_mature' else claim_contact_cost_null_reason end as claim_contact_cost_null_reason
from filled
