{{ config(materialized='incremental') }}

with responses as (
    select
        responses.*,
        {{ business_date('responses.responded_at', 'watermark.company_time_zone') }} as response_date
    from {{ ref('stg_survey_responses') }} as responses
    cross join {{ ref('int_core__watermark') }} as watermark
    where {{ near_touched_months('responses.responded_at') }}
),

fct_survey_response as (
    select
        {{ key_of('responses', 'response_id') }} as response_key,
        responses.response_id,
        responses.question_key,
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
        coalesce(responses.comment, '') <> '' as has_comment,
        cast(coalesce(length(responses.comment), 0) as bigint) as comment_character_count,
        responses.scale_min as scale_min_score,
        responses.scale_max as scale_max_score,
        responses.score as answer_score,
        -- Top two boxes of a scale with five or more; the top answer of a shorter one.
        responses.score >= coalesce(responses.scale_max, 5) - case when coalesce(responses.scale_max, 5) - coalesce(responses.scale_min, 1) >= 4 then 1 else 0 end as is_top_box,
        responses.response_date,
        period_day.period_month,
        responses.responded_at
    from responses
    inner join {{ ref('int_core__period_day') }} as period_day on responses.response_date = period_day.day
    left join {{ ref('int_core__account_merged') }} as accounts on responses.account_id = accounts.account_id
    left join {{ ref('int_core__account_resolved') }} as resolved on responses.contact_id = resolved.contact_id
    {{ left_join_named(ref('int_service__ticket_placed'), 'tickets', 'ticket_key', 'responses', 'ticket_id') }}
    {{ left_join_named(ref('fct_order'), 'orders', 'order_key', 'responses', 'order_id') }}
    where {{ in_touched_months('period_day.period_month') }}
)

select * from fct_survey_response {{ in_month_order() }}
