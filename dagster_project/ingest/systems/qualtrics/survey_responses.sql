-- One row an answer; the text typed next to a choice is carried with it. The question's export tag names the measure (csat, nps, ces
-- or acsi, nps_1), the survey's name its kind, embedded data our ids. An answer waits for its response; one whose question never came has
-- no question_key and is quarantined. What the tool derives from an answer or measures with it (groups, topics, clicks) is no answer.
with answers as (
    select
        source.*,
        regexp_replace(source.question_id, '_(\d+_)?TEXT$', '') as base_id,
        regexp_matches(source.question_id, '_TEXT$') as is_text,
        regexp_matches(
            lower(source.question_id),
            '_(nps_group|do(_[0-9]+)*|first_click|last_click|page_submit|click_count|browser|version|os|resolution|user_agent|[a-z_]*(topics?|sentiment|sentiment_?score|actionability|effort))$'
        ) as is_derived
    from source
),

texts as (
    select response_id, base_id, loop_id, max(text) as comment from answers where is_text group by response_id, base_id, loop_id
),

choices as (
    select distinct response_id, base_id, loop_id
    from answers
    where not is_text and sub_question_key is null and question_option_key is null
),

scales as (
    select
        question_id,
        survey_id,
        min(try_cast(recode_value as decimal(9, 4))) as scale_min,
        max(try_cast(recode_value as decimal(9, 4))) as scale_max
    from question_option
    group by question_id, survey_id
),

ids as (
    select
        response_id,
        max(value) filter (where lower(key) = 'account_id') as account_id,
        max(value) filter (where lower(key) = 'contact_id') as contact_id,
        max(value) filter (where lower(key) = 'ticket_id') as ticket_id,
        max(value) filter (where lower(key) = 'order_id') as order_id,
        max(value) filter (where lower(key) = 'interaction_id') as interaction_id,
        max(value) filter (where lower(key) = 'invitation_id') as invitation_id
    from survey_embedded_data
    group by response_id
),

invitations as (
    select
        response_id,
        min(distribution_id || ':' || contact_id) as invitation_id,
        min(contact_id) as contact_id,
        min(sent_at) as sent_at
    from distribution_contact
    where response_id is not null and sent_at is not null
    group by response_id
),

joined as (
    select
        answers.*,
        survey_response.distribution_channel,
        survey_response.end_date,
        survey_response.finished,
        survey_response.last_modified_date,
        survey_response.recorded_date,
        survey_response.status,
        survey_response.survey_id,
        survey_response.user_language,
        question.id as known_question_id,
        question.question_text,
        question.question_type,
        coalesce(
            nullif(regexp_extract(lower(question.data_export_tag), '^(csat|nps|ces|acsi)', 1), ''),
            case question.selector when 'NPS' then 'nps' else 'other' end
        ) as survey_metric,
        nullif(regexp_extract(
            replace(replace(lower(survey.survey_name), ' ', '_'), '-', '_'),
            'transactional|complaint|relationship|win_loss|exit|problem_incidence|self_service_reason|staff'
        ), '') as survey_kind,
        try_cast(answers.value as decimal(9, 4)) as score,
        question_option.text as label
    from answers
    left join survey_response on answers.response_id = survey_response.id
    left join survey on survey_response.survey_id = survey.id
    left join question on answers.base_id = question.id and survey_response.survey_id = question.survey_id
    left join question_option
        on question.id = question_option.question_id and question.survey_id = question_option.survey_id
        and answers.value = question_option.recode_value
    qualify row_number() over (partition by answers.record_number order by question_option.key) = 1
)

select
    joined.record_number,
    joined.response_id,
    regexp_replace(joined.known_question_id, '^QID_', '')
    || coalesce('_' || joined.sub_question_key, '') || coalesce('_' || joined.question_option_key, '') || coalesce('_loop' || joined.loop_id, '')
    || case when joined.is_text then '_text' else '' end as question_key,
    coalesce(ids.invitation_id, invitations.invitation_id) as invitation_id,
    coalesce(joined.survey_kind, 'transactional') as survey_kind,
    case when joined.is_text then 'other' else joined.survey_metric end as survey_metric,
    joined.question_text as item_text,
    case when joined.score is not null then coalesce(scales.scale_min, case joined.survey_metric when 'nps' then 0 end) end as scale_min,
    case when joined.score is not null then coalesce(scales.scale_max, case joined.survey_metric when 'nps' then 10 end) end as scale_max,
    joined.score,
    nullif(joined.label, joined.value) as choice,
    coalesce(
        texts.comment, nullif(joined.text, joined.label), case when joined.score is null then joined.value end
    ) as comment,
    ids.account_id,
    coalesce(ids.contact_id, directory_contact.ext_ref, invitations.contact_id) as contact_id,
    ids.ticket_id,
    ids.interaction_id,
    ids.order_id,
    case lower(joined.distribution_channel) when 'anonymous' then 'web_form' else lower(joined.distribution_channel) end as channel,
    invitations.sent_at as invited_at,
    coalesce(joined.end_date, joined.recorded_date) as responded_at,
    lower(joined.user_language) as language_code,
    lower(joined.finished) in ('0', 'false') as is_partial,
    joined.last_modified_date as source_updated_at,
    case
        when joined.is_derived then 'derived from an answer or measured with it'
        when joined.status in ('1', '2', '9', '17', '18') or joined.distribution_channel in ('preview', 'test') then 'preview or test answer'
        when joined.status in ('8', '12', '24', '40') then 'marked as spam'
        when joined.is_text and choices.response_id is not null then 'text next to a choice, carried with it'
    end as left_out
from joined
left join texts
    on joined.response_id = texts.response_id and joined.base_id = texts.base_id and joined.loop_id is not distinct from texts.loop_id
    and joined.sub_question_key is null and joined.question_option_key is null
left join choices
    on joined.response_id = choices.response_id and joined.base_id = choices.base_id and joined.loop_id is not distinct from choices.loop_id
left join scales on joined.known_question_id = scales.question_id and joined.survey_id = scales.survey_id
left join ids on joined.response_id = ids.response_id
left join invitations on joined.response_id = invitations.response_id
left join directory_contact on invitations.contact_id = directory_contact.id
