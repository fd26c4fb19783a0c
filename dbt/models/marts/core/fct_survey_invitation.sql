-- The preferred channel is an attribute of the account, and a contact of any month may be the one asked about: each run builds all rows.
with parameters as (
    select run_parameters.*, presence.is_present is true as has_responses
    from {{ source('lake', 'run_parameters') }} as run_parameters
    left join {{ source('lake', 'feed_presence') }} as presence on presence.feed = 'survey_responses'
),

invitations as (
    select
        invitations.*,
        {{ key_of('invitations', 'invitation_id') }} as invitation_key,
        not invitations.is_deleted and coalesce(invitations.suppressed_reason, '') = '' as is_asked,
        -- A source that begins to report it later did not fail to deliver before.
        max(invitations.delivered_at) over (partition by invitations.source_system, period_day.period_month) is not null as has_delivery,
        period_day.day as invited_date,
        period_day.period_month,
        parameters.immediate_survey_minutes,
        parameters.immediate_survey_other_minutes,
        parameters.has_responses
    from {{ ref('stg_survey_invitations') }} as invitations
    cross join parameters
    inner join {{ ref('int_core__period_day') }} as period_day on {{ business_date('invitations.invited_at', 'parameters.company_time_zone') }} = period_day.day
),

-- Complete answers that say something, by the invitation that they find; a second one to the same invitation answers it no more than the first.
answered as (
    select {{ of_named('asked', 'invitation_key') }} as invitation_key
    from {{ ref('stg_survey_responses') }} as answers
    {{ left_join_named('invitations', 'asked', 'invitation_key', 'answers', 'invitation_id') }}
    where not answers.is_deleted and not answers.is_partial and (answers.score is not null or coalesce(answers.choice, '') <> '')
    group by {{ of_named('asked', 'invitation_key') }}
),

-- Before the first invitation nobody knows whether customers were asked.
first_invited as (
    select min(period_month) as first_month from invitations where not is_deleted and survey_kind <> 'staff'
),

named as (
    select
        invitations.*,
        {{ of_named('contacts', 'interaction_key') }} as named_interaction_key,
        {{ of_named('tickets', 'ticket_key') }} as ticket_key,
        {{ of_named('tickets', 'surviving_ticket_key') }} as surviving_ticket_key,
        coalesce(
            accounts.surviving_account_id, resolved.account_id, {{ of_named('contacts', 'account_id') }}, {{ of_named('tickets', 'account_id') }},
            {{ of_named('orders', 'account_id') }}, 'ACCOUNT_UNKNOWN'
        ) as known_account_id
    from invitations
    {{ left_join_named(ref('int_service__interaction_placed'), 'contacts', 'interaction_key', 'invitations', 'interaction_id') }}
    {{ left_join_named(ref('int_service__ticket_placed'), 'tickets', 'ticket_key', 'invitations', 'ticket_id') }}
    {{ left_join_named(ref('fct_order'), 'orders', 'order_key', 'invitations', 'order_id') }}
    left join {{ ref('int_core__account_merged') }} as accounts on invitations.account_id = accounts.account_id
    left join {{ ref('int_core__account_resolved') }} as resolved on invitations.contact_id = resolved.contact_id
),

contacts as (
    select
        interaction_key, ticket_key, ticket_id, surviving_ticket_key, account_id, contact_id, channel, department_id, period_month, started_date, started_at, ended_at,
        coalesce(ended_at, started_at) as known_at, is_handled, is_costed and account_id <> 'NON_CUSTOMER' and period_month >= first_month as is_eligible
    from {{ ref('fct_interaction') }}
    cross join first_invited
    where is_counted
),

-- What it asks about: the contact it names, else the last one of its ticket before it, else the ticket. A first contact
-- after the invitation stays, with a lag below zero.
asked_contacts as (
    select named.invitation_key, contacts.*
    from named
    inner join contacts on named.named_interaction_key = contacts.interaction_key
    union all
    select named.invitation_key, contacts.*
    from named
    inner join contacts on named.surviving_ticket_key = contacts.surviving_ticket_key
    where named.interaction_id is null and contacts.is_handled
    qualify row_number() over (
        partition by named.invitation_key
        order by
            case when contacts.known_at <= named.invited_at then 0 else 1 end,
            case when contacts.known_at <= named.invited_at then contacts.known_at end desc nulls last, contacts.known_at, contacts.interaction_key
    ) = 1
),

asked as (
    select
        named.*,
        asked_contacts.interaction_key as asked_interaction_key,
        coalesce(asked_contacts.is_eligible, false) and not named.is_deleted as is_of_eligible,
        asked_contacts.period_month as contact_period_month,
        coalesce(asked_contacts.channel, tickets.channel) as contact_channel,
        coalesce(asked_contacts.department_id, tickets.department_id) as contact_department_id,
        case
            when asked_contacts.interaction_key is not null then asked_contacts.ended_at
            when tickets.solved_at <= named.invited_at then tickets.solved_at
            else coalesce(tickets.first_solved_at, tickets.solved_at)
        end as contact_ended_at,
        case
            when named.interaction_id is null and named.ticket_id is null then 'no_contact'
            when asked_contacts.interaction_key is null and tickets.ticket_key is null then 'contact_unknown'
        end as contact_null_reason
    from named
    left join asked_contacts on named.invitation_key = asked_contacts.invitation_key
    left join {{ ref('fct_ticket') }} as tickets
        on named.surviving_ticket_key = tickets.ticket_key and tickets.is_counted and named.interaction_id is null and asked_contacts.interaction_key is null
),

-- Of each contact one row counts: the first invitation that was sent, else the first that was suppressed.
counted as (
    select
        asked.*,
        asked.is_of_eligible and cast(row_number() over (
            partition by asked.asked_interaction_key, asked.is_of_eligible order by case when asked.is_asked then 0 else 1 end, asked.invited_at, asked.invitation_key
        ) as bigint) = 1 as is_contact_counted,
        {{ elapsed_seconds('asked.contact_ended_at', 'asked.invited_at') }} as lag_seconds,
        {{ channel_family('asked.channel') }} = {{ channel_family('asked.contact_channel') }} as is_same_channel
    from asked
),

drafts as (
    select
        'invitation ' || invitation_key as survey_row_key, invitation_key, invitation_id, survey_kind, known_account_id as account_id, contact_id, ticket_key, ticket_id,
        asked_interaction_key as interaction_key, channel, contact_channel, contact_department_id, is_contact_counted, is_asked, is_deleted, suppressed_reason,
        delivered_at, opened_at, started_at, is_bounced, has_delivery, lag_seconds, is_same_channel, contact_null_reason, sampling_rate, invited_date,
        period_month, contact_period_month, invited_at, contact_ended_at, immediate_survey_minutes, immediate_survey_other_minutes, has_responses
    from counted
    union all
    select
        'contact ' || interaction_key, null, null, 'transactional', account_id, contact_id, ticket_key, ticket_id,
        interaction_key, null, channel, department_id, true, false, false, null,
        null, null, null, false, false, null, null, null, null, started_date,
        period_month as survey_month, period_month, null, ended_at, null, null, true
    from contacts
    where is_eligible and interaction_key not in (select asked_interaction_key from counted where is_of_eligible)
),

fct_survey_invitation as (
    select
        drafts.survey_row_key, drafts.invitation_key, drafts.invitation_id, drafts.survey_kind, drafts.account_id, drafts.contact_id,
        drafts.ticket_key, drafts.ticket_id, drafts.interaction_key, drafts.channel, drafts.contact_channel, drafts.contact_department_id as department_id,
        accounts.preferred_channel, drafts.is_contact_counted, drafts.is_asked, drafts.is_deleted,
        nullif(drafts.suppressed_reason, '') as suppressed_reason,
        case
            when not drafts.is_asked then false
            when coalesce(drafts.delivered_at, drafts.opened_at, drafts.started_at) is not null or answered.invitation_key is not null then true
            when drafts.is_bounced then false
            when drafts.has_delivery then false
        end as is_delivered,
        drafts.is_asked and (coalesce(drafts.opened_at, drafts.started_at) is not null or answered.invitation_key is not null) as is_opened,
        case when not drafts.is_asked then false when drafts.has_responses then answered.invitation_key is not null end as is_answered,
        drafts.lag_seconds, drafts.is_same_channel,
        case
            when drafts.lag_seconds >= 0 then drafts.lag_seconds <= 60 * case
                when {{ channel_family('drafts.contact_channel') }} in ('voice', 'chat') then drafts.immediate_survey_minutes
                else drafts.immediate_survey_other_minutes
            end
        end as is_immediate,
        drafts.channel = accounts.preferred_channel as is_preferred_channel,
        drafts.contact_null_reason,
        case
            when drafts.invitation_key is null then 'not_invited'
            when drafts.contact_null_reason is not null then drafts.contact_null_reason
            when drafts.contact_ended_at is null then 'end_unknown'
            when drafts.lag_seconds < 0 then 'before_contact_ended'
        end as lag_null_reason,
        case when drafts.is_asked and not drafts.has_responses then 'source_absent' end as answered_null_reason,
        case
            when drafts.is_asked and not drafts.has_delivery and not drafts.is_bounced and answered.invitation_key is null and drafts.opened_at is null and drafts.started_at is null
                then 'delivery_not_reported'
        end as delivered_null_reason,
        drafts.sampling_rate,
        drafts.invited_date as survey_date, drafts.period_month,
        case when drafts.is_contact_counted then drafts.contact_period_month end as contact_period_month,
        drafts.invited_at, drafts.contact_ended_at
    from drafts
    left join {{ ref('dim_account') }} as accounts on drafts.account_id = accounts.account_id
    left join answered on drafts.invitation_key = answered.invitation_key
)

select * from fct_survey_invitation
