{{ config(severity='warn') }}
-- Warns: an answer names an invitation that was not delivered, or that two other systems have, so it is in the scores and in no response rate.
{% set invitations = "(select invitation_id, is_id_shared, " ~ key_of('held', 'invitation_id') ~ " as invitation_key from " ~ ref('stg_survey_invitations') ~ " as held)" %}
select 'answer' as survey_part, {{ key_of('answers', 'response_id') }} as response_key, answers.question_key, answers.invitation_id
from {{ ref('stg_survey_responses') }} as answers
{{ left_join_named(invitations, 'asked', 'invitation_key', 'answers', 'invitation_id') }}
where answers.invitation_id is not null and not answers.is_deleted
    and exists (select 1 from {{ ref('stg_survey_invitations') }}) and {{ of_named('asked', 'invitation_key') }} is null
