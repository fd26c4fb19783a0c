select distinct
    point as key,
    'QID_' || question_key as question_id,
    'SV_' || survey_kind as survey_id,
    'false' as _fivetran_deleted,
    synced() as _fivetran_synced,
    point as recode_value,
    point as text
from (
    select question_key, survey_kind, unnest(generate_series(scale_min::decimal(9, 4)::bigint, scale_max::decimal(9, 4)::bigint)) as point
    from survey_responses
)
order by question_id, survey_id, key
