-- Not monthly: each day some contact joins a chain that began in the month before; see docs/decisions/0038-issue-chains.md.
{% set windows = [1, 3, 7, 14, 30] -%}
with windows as (
    {% for days in windows %}select {{ days }} as window_days{{ ' union all ' if not loop.last }}{% endfor %}
),

-- An answer is about the contact that it names, or about the latest one on its ticket before it.
answers as (
    select responses.response_key, responses.question_key, responses.answer_share, responses.responded_at, 'interaction ' || responses.interaction_id as about
    from {{ ref('fct_survey_response') }} as responses
    where responses.is_counted and responses.survey_metric = 'csat' and responses.answer_share is not null and responses.interaction_id is not null
    union all
    select responses.response_key, responses.question_key, responses.answer_share, responses.responded_at, 'ticket ' || responses.ticket_key
    from {{ ref('fct_survey_response') }} as responses
    where responses.is_counted and responses.survey_metric = 'csat' and responses.answer_share is not null and responses.interaction_id is null
),

named as (
    select contact_key, started_at, 'interaction ' || interaction_id as about from {{ ref('int_service__issue_contact_numbered') }} where interaction_id is not null
    union all
    select contact_key, started_at, 'ticket ' || ticket_key from {{ ref('int_service__issue_contact_numbered') }} where ticket_key is not null
),

opinions as (
    select contact_key, count(*) as answer_count, cast(sum(answer_share) as decimal(18, 4)) as answer_sum
    from (
        select named.contact_key, answers.answer_share
        from answers
        inner join named on answers.about = named.about and answers.responded_at >= named.started_at
        qualify row_number() over (partition by answers.response_key, answers.question_key order by named.started_at desc, named.contact_key) = 1
    ) as answered
    group by contact_key
),

contacts as (
    select
        numbered.*, opinions.answer_count, opinions.answer_sum,
        lead(numbered.gap_seconds) over (partition by numbered.matter_key order by numbered.contact_number) as next_gap_seconds,
        lead(numbered.started_at) over (partition by numbered.matter_key order by numbered.contact_number) as next_contact_at,
        lead(numbered.channel) over (partition by numbered.matter_key order by numbered.contact_number) as next_channel
    from {{ ref('int_service__issue_contact_numbered') }} as numbered
    left join opinions on numbered.contact_key = opinions.contact_key
),

-- A contact with no other within the longest window is a chain at every window: most are, and only the others are laid out by window.
laid_out as (
    select
        contacts.*, windows.window_days,
        coalesce(contacts.gap_seconds > 30 * 86400, true) and coalesce(contacts.next_gap_seconds > 30 * 86400, true) as is_alone,
        coalesce(contacts.gap_seconds > windows.window_days * 86400, true) as is_first
    from contacts
    inner join windows
        on windows.window_days = 30 or coalesce(contacts.gap_seconds <= 30 * 86400, false) or coalesce(contacts.next_gap_seconds <= 30 * 86400, false)
),

linked as (
    select
        laid_out.*,
        cast(sum(case when is_first then 1 else 0 end) over (partition by matter_key, window_days order by contact_number rows between unbounded preceding and current row) as bigint) as chain_number
    from laid_out
),

chains as (
    select
        matter_key, window_days, chain_number,
        bool_and(is_alone) as is_alone,
        min(contact_number) as first_number,
        max(contact_number) as last_number,
        count(*) as contact_count,
        count(distinct channel) as channel_count,
        count(distinct department_id) as department_count,
        -- More turns than departments; the first contact of the chain that names one is its first turn, whatever was before.
        count(distinct department_id) < count(case when is_other_department then 1 end)
        + coalesce(min_by(case when is_other_department then 0 else 1 end, case when department_id is not null then contact_number end), 0) as is_department_revisited,
        bool_or(is_between_departments) as is_between_departments,
        count(distinct ticket_key) as ticket_count,
        bool_and(coalesce(is_solved, true)) as is_resolved,
        bool_or(coalesce(is_reopened, false)) as is_reopened,
        cast(coalesce(sum(answer_count), 0) as bigint) as answer_count,
        cast(sum(answer_sum) as decimal(18, 4)) as answer_sum,
        max(case when not is_first then gap_seconds end) as longest_gap_seconds,
        case when count(cost_minor) = count(*) then cast(sum(cost_minor) as bigint) end as cost_minor,
        case when count(cost_minor) = count(*) then cast(sum(case when is_first then 0 else cost_minor end) as bigint) end as repeat_minor,
        min(cost_null_reason) as cost_null_reason,
        bool_or(is_provisional) as is_provisional
    from linked
    group by matter_key, window_days, chain_number
),

-- The same contacts are one row, whatever the windows at which they are a chain.
distinct_chains as (
    select
        chains.*,
        {%- for days in windows %}
        bool_or(is_alone or window_days = {{ days }}) over (partition by matter_key, first_number, last_number) as is_chain_{{ days }},
        {%- endfor %}
        min(window_days) over (partition by matter_key, first_number, last_number) as shortest_window_days
    from chains
),

-- The latest session of a customer before each contact, at most a day.
visits as (
    select {{ customer_key('sessions') }} as customer_key, started_at, ended_at from {{ ref('fct_self_service_session') }} as sessions where is_counted
),

timeline as (
    select customer_key, started_at, ended_at as session_end_at, cast(null as string) as contact_key from visits where customer_key is not null
    union all
    select customer_key, started_at, cast(null as timestamp), contact_key from contacts where customer_key in (select visits.customer_key from visits)
),

preceded as (
    select
        contact_key, started_at,
        max(session_end_at) over (
            partition by customer_key order by started_at, case when contact_key is null then 0 else 1 end rows between unbounded preceding and current row
        ) as session_end_at
    from timeline
),

sessions as (
    select contact_key, {{ elapsed_seconds('session_end_at', 'started_at') }} as session_gap_seconds
    from preceded
    where contact_key is not null and {{ elapsed_seconds('session_end_at', 'started_at') }} <= 86400
),

fct_issue_chain as (
    select
        firsts.contact_key || ' ' || cast(chains.contact_count as string) as chain_key,
        firsts.account_id,
        firsts.contact_id,
        firsts.issue_family,
        firsts.contact_key as first_contact_key,
        firsts.channel as first_channel,
        firsts.department_id as first_department_id,
        lasts.channel as last_channel,
        chains.contact_count,
        chains.ticket_count,
        chains.channel_count,
        chains.department_count,
        chains.is_department_revisited,
        chains.department_count > 1 or chains.is_between_departments as is_between_departments,
        sessions.contact_key is not null as is_started_by_session,
        case when sessions.session_gap_seconds < 0 then 0 else sessions.session_gap_seconds end as session_gap_seconds,
        chains.is_resolved,
        chains.is_reopened,
        chains.contact_count = 1 and chains.is_resolved and not chains.is_reopened as is_first_contact_resolved,
        chains.answer_count,
        cast(cast({{ rounded_quotient('cast(chains.answer_sum * 10000 as bigint)', 'chains.answer_count') }} as decimal(9, 0)) * cast(0.0001 as decimal(5, 4)) as decimal(9, 4)) as answer_share,
        firsts.channel = 'phone'
        and (
            not (chains.contact_count = 1 and chains.is_resolved and not chains.is_reopened)
            or coalesce(4 * firsts.answer_sum <= firsts.answer_count, false)
        ) as is_started_by_bad_call,
        firsts.gap_seconds as gap_before_seconds,
        chains.longest_gap_seconds,
        lasts.next_gap_seconds as gap_after_seconds,
        lasts.next_channel,
        {{ amount_of('chains.cost_minor', 'watermark.currency_decimals') }} as cost_amount,
        {{ amount_of('chains.repeat_minor', 'watermark.currency_decimals') }} as repeat_cost_amount,
        chains.cost_null_reason,
        watermark.reporting_currency_code as currency_code,
        chains.is_provisional,
        firsts.started_date as first_contact_date,
        firsts.period_month,
        firsts.started_at as first_contact_at,
        lasts.until_at as last_contact_end_at,
        lasts.next_contact_at,
        {%- for days in windows %}
        case when chains.is_chain_{{ days }} then cast(lasts.until_date + interval {{ days + 1 }} day as date) end as matures_on_{{ days }}{{ ',' if not loop.last }}
        {%- endfor %}
    from distinct_chains as chains
    cross join {{ ref('int_core__watermark') }} as watermark
    inner join contacts as firsts on chains.matter_key = firsts.matter_key and chains.first_number = firsts.contact_number
    inner join contacts as lasts on chains.matter_key = lasts.matter_key and chains.last_number = lasts.contact_number
    left join sessions on firsts.contact_key = sessions.contact_key
    where chains.window_days = chains.shortest_window_days
)

select * from fct_issue_chain
