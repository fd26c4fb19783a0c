select distinct key as import_id, key, 'R_' || response_id as response_id, value, synced() as _fivetran_synced
from (
    select response_id, 'account_id' as key, account_id as value from survey_responses
    union all
    select response_id, 'contact_id', contact_id from survey_responses
    union all
    select response_id, 'ticket_id', ticket_id from survey_responses
    union all
    select response_id, 'invitation_id', invitation_id from survey_responses
)
where value is not null
order by response_id, key
