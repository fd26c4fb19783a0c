select
    'R_' || response_id as id,
    synced() as _fivetran_synced,
    min(channel) as distribution_channel,
    plain(max(responded_at)) as end_date,
    1 as finished,
    plain(max(source_updated_at)) as last_modified_date,
    100 as progress,
    plain(max(responded_at)) as recorded_date,
    plain(min(responded_at)) as start_date,
    0 as status,
    'SV_' || min(survey_kind) as survey_id,
    'EN' as user_language
from survey_responses
group by response_id
order by recorded_date, id
