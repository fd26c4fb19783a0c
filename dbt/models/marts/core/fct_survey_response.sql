{{ config(materialized='monthly') }}

with responses as (
    select
        responses.*,
        {{ business_date('responses.responded_at', 'watermark.company_time_zone') }} as response_date
    from {{ rows_near('stg_survey_responses', 'responded_at') }} as responses
    cross join {{ ref('int_core__watermark') }} as watermark
),

-- Answers that say something, of every month: a later one may take the place of one of these rows.
answers as (
    select
        answers.source_system, answers.response_id, answers.question_key, answers.key_scope, answers.ticket_id, answers.interaction_id,
        coalesce(answers.contact_id, answers.account_id) as respondent_id, answers.responded_at,
        case when answers.invitation_id is null then 'response ' || answers.response_id else 'invitation ' || answers.invitation_id end as asked_id
    from {{ ref('stg_survey_responses') }} as answers
    where answers.score is not null and not answers.is_deleted and not answers.is_partial
),

begun as (
    select answers.*, min(answers.responded_at) over (partition by answers.key_scope, answers.question_key, answers.asked_id) as first_responded_at
    from answers
),

-- Who answers an invitation again within seven days corrects the answer; later the invitation is over.
of_invitation as (
    select
        begun.*,
        {{ elapsed_seconds('begun.first_responded_at', 'begun.responded_at') }} > 7 * 86400 as is_late,
        cast(row_number() over (
            partition by begun.key_scope, begun.question_key, begun.asked_id, {{ elapsed_seconds('begun.first_responded_at', 'begun.responded_at') }} > 7 * 86400
            order by begun.responded_at desc, begun.response_id desc, begun.source_system desc
        ) as bigint) = 1 as is_last
    from begun
),

-- However often somebody is asked about a ticket or contact, the latest answer is what they think of it.
latest as (
    select source_system, response_id, question_key
    from of_invitation
    where is_last and not is_late
    qualify row_number() over (
        partition by key_scope, question_key, ticket_id, interaction_id, respondent_id, case when ticket_id is null and interaction_id is null then asked_id end
        order by responded_at desc, response_id desc, source_system desc
    ) = 1
),

fct_survey_response as (
    select
        {{ key_of('responses', 'response_id') }} as response_key,
        responses.response_id,
        responses.question_key,
        responses.question_version,
        responses.invitation_id,
        case when responses.invitation_id is null then 'response ' || {{ key_of('responses', 'response_id') }} else 'invitation ' || {{ key_of('responses', 'invitation_id') }} end as asked_key,
        coalesce(accounts.surviving_account_id, resolved.account_id, {{ of_named('tickets', 'account_id') }}, {{ of_named('orders', 'account_id') }}, 'ACCOUNT_UNKNOWN') as account_id,
        {{ of_named('tickets', 'ticket_key') }} as ticket_key,
        responses.ticket_id,
        responses.interaction_id,
        {{ of_named('orders', 'order_key') }} as order_key,
        responses.order_id,
        responses.survey_kind,
        responses.survey_metric,
        responses.channel,
        responses.language_code,
        responses.is_partial,
        responses.is_deleted,
        latest.response_id is not null as is_counted,
        case
            when latest.response_id is not null then null
            when responses.is_deleted then 'deleted'
            when responses.is_partial then 'partial'
            when responses.score is null then 'no_score'
            when of_invitation.is_late then 'answered_late'
            else 'answered_again'
        end as not_counted_reason,
        coalesce(responses.comment, '') <> '' as has_comment,
        cast(coalesce(length(responses.comment), 0) as bigint) as comment_character_count,
        responses.scale_min as scale_min_score,
        responses.scale_max as scale_max_score,
        responses.score as answer_score,
        -- Where on its own scale an answer is; scales are compared by nothing else.
        case
            when responses.scale_min < responses.scale_max
                then cast(cast({{ rounded_quotient('cast((responses.score - responses.scale_min) * 10000 as bigint)', 'cast((responses.scale_max - responses.scale_min) * 10000 as bigint)', 10000) }} as decimal(9, 0)) * cast(0.0001 as decimal(5, 4)) as decimal(9, 4))
        end as answer_share,
        -- Promoters are 9 and 10 of 0 to 10, who found it easy 5 to 7 of 1 to 7, the satisfied 4 and 5 of 1 to 5.
        case
            when responses.scale_min < responses.scale_max
                then case responses.survey_metric
                    when 'nps' then 10 * (responses.score - responses.scale_min) >= 9 * (responses.scale_max - responses.scale_min)
                    when 'ces' then 3 * (responses.score - responses.scale_min) >= 2 * (responses.scale_max - responses.scale_min)
                    else 4 * (responses.score - responses.scale_min) >= 3 * (responses.scale_max - responses.scale_min)
                end
        end as is_top_box,
        responses.response_date,
        period_day.period_month,
        responses.responded_at
    from responses
    inner join {{ ref('int_core__period_day') }} as period_day on responses.response_date = period_day.day
    left join {{ ref('int_core__account_merged') }} as accounts on responses.account_id = accounts.account_id
    left join {{ ref('int_core__account_resolved') }} as resolved on responses.contact_id = resolved.contact_id
    left join of_invitation
        on responses.source_system = of_invitation.source_system
        and responses.response_id = of_invitation.response_id and responses.question_key = of_invitation.question_key
    left join latest
        on responses.source_system = latest.source_system and responses.response_id = latest.response_id and responses.question_key = latest.question_key
    {{ left_join_named(ref('int_service__ticket_placed'), 'tickets', 'ticket_key', 'responses', 'ticket_id') }}
    {{ left_join_named(ref('fct_order'), 'orders', 'order_key', 'responses', 'order_id') }}
)

select * from fct_survey_response
