select distinct
    'EMD_' || survey_kind || '_' || getvariable('day') as id,
    'false' as _fivetran_deleted,
    synced() as _fivetran_synced,
    'demo' as organization_id,
    'Done' as request_status,
    'Invite' as request_type,
    'Individual' as survey_link_link_type,
    'SV_' || survey_kind as survey_link_survey_id
from survey_responses
order by id
