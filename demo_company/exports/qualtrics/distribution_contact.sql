select distinct
    'CID_' || contact_id as contact_id,
    'EMD_' || survey_kind || '_' || getvariable('day') as distribution_id,
    synced() as _fivetran_synced,
    plain(responded_at) as response_completed_at,
    'R_' || response_id as response_id,
    'SurveyFinished' as status
from survey_responses
where contact_id is not null
order by response_id
