select distinct
    'QID_' || question_key as id,
    'SV_' || survey_kind as survey_id,
    'false' as _fivetran_deleted,
    synced() as _fivetran_synced,
    survey_metric as data_export_tag,
    question_key as question_description,
    question_key as question_text,
    'MC' as question_type,
    case survey_metric when 'nps' then 'NPS' else 'SAVR' end as selector
from survey_responses
order by id, survey_id
