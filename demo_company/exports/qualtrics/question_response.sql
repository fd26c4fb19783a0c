select
    md5(response_id || question_key || part) as _fivetran_id,
    synced() as _fivetran_synced,
    question_key as question,
    'QID_' || question_key || case part when 'text' then '_TEXT' else '' end as question_id,
    'R_' || response_id as response_id,
    text,
    value
from (
    select response_id, question_key, 'value' as part, null as text, regexp_replace(score, '[.]0+$', '') as value
    from survey_responses
    union all
    select response_id, question_key, 'text', comment, null
    from survey_responses where comment is not null
)
order by response_id, question_id
