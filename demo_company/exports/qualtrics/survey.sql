select distinct
    'SV_' || survey_kind as id,
    'false' as _fivetran_deleted,
    synced() as _fivetran_synced,
    'true' as is_active,
    survey_kind as survey_name,
    'Active' as survey_status,
    'demo' as brand_id
from survey_responses
order by id
