{{ config(severity='warn') }}
-- Warns: an invitation is dated before the end of the contact or ticket that it asks about, so one of the two clocks is wrong. It counts
-- as neither immediate nor late.
select 'invitation' as survey_part, invitation_key, lag_seconds, period_month
from {{ ref('fct_survey_invitation') }}
where lag_null_reason = 'before_contact_ended'
