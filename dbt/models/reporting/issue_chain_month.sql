-- Maturity is applied here: a chain counts at window N once no contact can join it any more.
with as_of as (
    select min(as_of_date) as as_of_date from {{ ref('dim_period') }}
),

by_window as (
    {% for days in [1, 3, 7, 14, 30] %}
    select chains.*, {{ days }} as window_days, matures_on_{{ days }} as matures_on from {{ ref('fct_issue_chain') }} as chains where matures_on_{{ days }} is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

judged as (
    select
        by_window.*,
        by_window.matures_on <= as_of.as_of_date as is_mature,
        coalesce(instr(',' || parameters.unresolvable_issue_families || ',', ',' || by_window.issue_family || ',') = 0, true) as is_resolvable,
        cast(row_number() over (
            partition by by_window.window_days, by_window.account_id, case when by_window.account_id = 'ACCOUNT_UNKNOWN' then by_window.contact_id end
            order by by_window.first_contact_at, by_window.chain_key
        ) as bigint) = 1 as is_first_of_customer
    from by_window
    cross join as_of
    cross join {{ source('lake', 'run_parameters') }} as parameters
),

counted as (
    select
        period_month,
        window_days,
        first_channel as channel,
        issue_family,
        first_department_id as department_id,
        count(*) as chains_count,
        count(case when is_mature then 1 end) as mature_count,
        count(case when is_mature and is_first_contact_resolved then 1 end) as first_contact_resolved_count,
        count(case when is_mature and is_resolvable then 1 end) as resolvable_count,
        count(case when is_mature and is_resolvable and is_first_contact_resolved then 1 end) as resolvable_resolved_count,
        count(case when is_mature and is_first_of_customer then 1 end) as first_chain_count,
        count(case when is_mature and is_first_of_customer and is_first_contact_resolved then 1 end) as first_chain_resolved_count,
        count(case when is_mature and is_resolved then 1 end) as resolved_count,
        cast(sum(case when is_mature then contact_count end) as bigint) as contacts_count,
        cast(sum(case when is_mature then contact_count - 1 else 0 end) as bigint) as repeat_contacts_count,
        count(case when is_mature and channel_count > 1 then 1 end) as several_channels_count,
        count(case when is_mature and is_started_by_session then 1 end) as started_by_session_count,
        count(case when is_mature and is_started_by_session and is_first_contact_resolved then 1 end) as started_by_session_resolved_count,
        cast(sum(case when is_mature and is_started_by_session and answer_share is not null then 1 else 0 end) as bigint) as started_by_session_answers_count,
        cast(sum(case when is_mature and is_started_by_session then answer_share end) as decimal(18, 4)) as started_by_session_answers_score,
        count(case when is_mature and is_between_departments then 1 end) as between_departments_count,
        count(case when is_mature and is_between_departments and is_first_contact_resolved then 1 end) as between_departments_first_contact_count,
        count(case when is_mature and is_between_departments and not is_resolved then 1 end) as between_departments_unresolved_count,
        count(case when is_mature and is_department_revisited then 1 end) as department_revisited_count,
        cast(sum(case when is_mature then cost_amount end) as decimal(18, 3)) as cost_amount,
        cast(sum(case when is_mature then repeat_cost_amount end) as decimal(18, 3)) as repeat_cost_amount,
        cast(sum(case when is_mature and is_started_by_bad_call then repeat_cost_amount end) as decimal(18, 3)) as bad_call_repeat_cost_amount,
        min(case when is_mature and cost_amount is null then cost_null_reason end) as cost_null_reason,
        bool_or(is_mature and is_provisional) as is_provisional
    from judged
    group by period_month, window_days, first_channel, issue_family, first_department_id
),

-- A month in which no chain began has 0 of them, and none before the first contact or ticket is known.
every_month as (
    select dim_period.period_month, windows.window_days, dim_period.has_interactions or dim_period.has_tickets as has_contacts
    from {{ ref('dim_period') }} as dim_period
    cross join (select 1 as window_days union all select 3 union all select 7 union all select 14 union all select 30) as windows
    where dim_period.start_date <= dim_period.as_of_date
),

filled as (
    {{ filled_windows('every_month', 'counted', 'chains_count', 'has_contacts') }}
)

select
    month as period_month,
    cast(days as bigint) as window_days,
    channel,
    issue_family,
    department_id,
    case when has_contacts then coalesce(chains_count, 0) end as chains_count,
    case when has_contacts then coalesce(chains_count - mature_count, 0) end as immature_count,
    {%- for name in ['mature', 'first_contact_resolved', 'resolvable', 'resolvable_resolved', 'first_chain', 'first_chain_resolved', 'resolved', 'contacts', 'repeat_contacts', 'several_channels', 'started_by_session', 'started_by_session_resolved', 'started_by_session_answers', 'between_departments', 'between_departments_first_contact', 'between_departments_unresolved', 'department_revisited'] %}
    case when has_contacts and is_known then coalesce({{ name }}_count, 0) end as {{ name }}_count,
    {%- endfor %}
    case when has_contacts and is_known then cast(coalesce(started_by_session_answers_score, 0) as decimal(18, 4)) end as started_by_session_answers_score,
    case when has_contacts and is_known and cost_null_reason is null then coalesce(cost_amount, 0) end as cost_amount,
    case when has_contacts and is_known and cost_null_reason is null then coalesce(repeat_cost_amount, 0) end as repeat_cost_amount,
    case when has_contacts and is_known and cost_null_reason is null then coalesce(bad_call_repeat_cost_amount, 0) end as bad_call_repeat_cost_amount,
    case when not has_contacts then 'source_absent' end as chains_null_reason,
    case when not has_contacts then 'source_absent' when not is_known then 'not_mature' end as null_reason,
    case when not has_contacts then 'source_absent' when not is_known then 'not_mature' else cost_null_reason end as cost_null_reason,
    coalesce(is_provisional, false) as is_provisional
from filled
