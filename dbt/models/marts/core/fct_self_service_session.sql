-- Not monthly: a contact of this month says how a session of the last one ended; see docs/decisions/0038-issue-chains.md.
{% set windows = [1, 3, 7, 14] -%}
with sessions as (
    select
        {{ key_of('sessions', 'session_id') }} as session_key,
        sessions.session_id, sessions.contact_id, sessions.self_service_channel as channel, sessions.intent, sessions.step_count, sessions.article_count,
        sessions.outcome, sessions.is_agent_requested, sessions.choice_reason, sessions.is_deleted, sessions.started_at,
        case when sessions.ended_at > sessions.started_at then sessions.ended_at else sessions.started_at end as ended_at,
        coalesce(accounts.surviving_account_id, resolved.account_id, 'ACCOUNT_UNKNOWN') as account_id,
        case sessions.outcome when 'answered' then 'contained' when 'escalated' then 'escalated' when 'unknown' then 'unknown' else 'abandoned' end as claimed_state
    from {{ ref('stg_self_service_sessions') }} as sessions
    left join {{ ref('int_core__account_merged') }} as accounts on sessions.account_id = accounts.account_id
    left join {{ ref('int_core__account_resolved') }} as resolved on sessions.contact_id = resolved.contact_id
),

known as (
    select sessions.*, {{ customer_key('sessions') }} as customer_key
    from sessions
),

-- Every time that the customer came, whether or not somebody answered.
tries as (
    select customer_key, contact_key, channel, started_at
    from {{ ref('int_service__issue_contact') }}
    where is_try and customer_key in (select known.customer_key from known)
),

timeline as (
    select customer_key, started_at, session_key from known where customer_key is not null
    union all
    select customer_key, started_at, cast(null as string) from tries
),

ahead as (
    select
        session_key, customer_key,
        min(case when session_key is null then started_at end) over (
            partition by customer_key order by started_at desc, case when session_key is null then 0 else 1 end rows between unbounded preceding and current row
        ) as next_contact_at
    from timeline
),

next_contacts as (
    select ahead.session_key, ahead.next_contact_at, min(tries.contact_key) as contact_key
    from ahead
    inner join tries on ahead.customer_key = tries.customer_key and ahead.next_contact_at = tries.started_at
    where ahead.session_key is not null
    group by ahead.session_key, ahead.next_contact_at
),

placed as (
    select
        known.*,
        next_contacts.contact_key as next_contact_key,
        next_contacts.next_contact_at,
        tries.channel as next_channel,
        case
            when known.ended_at >= next_contacts.next_contact_at then 0
            else {{ elapsed_seconds('known.ended_at', 'next_contacts.next_contact_at') }}
        end as next_contact_gap_seconds,
        cast(row_number() over (partition by next_contacts.contact_key order by case when known.is_deleted then 1 else 0 end, known.started_at desc, known.session_key desc) as bigint) = 1
        and next_contacts.contact_key is not null and not known.is_deleted as is_last_before_contact,
        {{ business_date('known.started_at', 'watermark.company_time_zone') }} as started_date,
        {{ business_date('known.ended_at', 'watermark.company_time_zone') }} as ended_date,
        watermark.resolution_price_amount,
        watermark.reporting_currency_code as currency_code,
        watermark.currency_decimals
    from known
    cross join {{ ref('int_core__watermark') }} as watermark
    left join next_contacts on known.session_key = next_contacts.session_key
    left join tries on next_contacts.contact_key = tries.contact_key
),

fct_self_service_session as (
    select
        placed.session_key,
        placed.session_id,
        placed.account_id,
        placed.contact_id,
        placed.channel,
        placed.intent,
        placed.step_count,
        placed.article_count,
        placed.outcome,
        placed.claimed_state,
        {%- for days in windows %}
        case
            when placed.customer_key is null then 'unknown'
            when placed.claimed_state = 'escalated' or placed.next_contact_gap_seconds <= {{ days }} * 86400 then 'escalated'
            else placed.claimed_state
        end as verified_{{ days }}_state,
        {%- endfor %}
        case when placed.customer_key is null then 'anonymous' when placed.outcome = 'unknown' then 'outcome_unknown' end as unknown_reason,
        placed.customer_key is not null as is_identified,
        placed.is_agent_requested,
        placed.choice_reason,
        placed.next_contact_key,
        placed.next_channel,
        placed.next_contact_gap_seconds,
        placed.is_last_before_contact,
        case when placed.next_contact_key is null then null when costs.contact_key is null then cast(0 as decimal(18, 3)) else {{ amount_of('costs.cost_minor', 'placed.currency_decimals') }} end as next_contact_cost_amount,
        costs.cost_null_reason as next_contact_cost_null_reason,
        case when placed.claimed_state = 'contained' then placed.resolution_price_amount else cast(0 as decimal(18, 3)) end as claim_price_amount,
        case when placed.claimed_state = 'contained' and placed.resolution_price_amount is null then 'source_absent' end as claim_price_null_reason,
        placed.currency_code,
        placed.is_deleted,
        not placed.is_deleted as is_counted,
        placed.started_date,
        period_day.period_month,
        placed.started_at,
        placed.ended_at,
        placed.next_contact_at,
        {%- for days in windows %}
        cast(placed.ended_date + interval {{ days + 1 }} day as date) as matures_on_{{ days }}{{ ',' if not loop.last }}
        {%- endfor %}
    from placed
    inner join {{ ref('int_core__period_day') }} as period_day on placed.started_date = period_day.day
    left join {{ ref('int_service__issue_contact_numbered') }} as costs on placed.next_contact_key = costs.contact_key
)

select * from fct_self_service_session
