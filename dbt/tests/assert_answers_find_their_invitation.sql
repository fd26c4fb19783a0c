{{ config(severity='warn') }}
-- Warns: an answer names an invitation that was not delivered, so it is in the scores and in no response rate.
select 'answer' as survey_part, answers.response_key, answers.question_key, answers.invitation_id
from {{ ref('fct_survey_response') }} as answers
where answers.invitation_id is not null and not answers.is_deleted
    and exists (select 1 from {{ ref('fct_survey_invitation') }})
    and not exists (select 1 from {{ ref('fct_survey_invitation') }} as invitations where invitations.invitation_id = answers.invitation_id)
