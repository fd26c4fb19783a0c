-- One row a rating of the default question: 103 extremely happy to 100 neutral, -101 unhappy to -103 extremely unhappy, as 3 to -3. A survey with
-- fewer choices uses the outer codes. Answers to further questions stay in `ratings`.
with rated as (
    select source.*, try_cast(json_extract_string(try_cast(source.ratings as json), '$.default_question') as integer) as code
    from source
)

select
    rated.record_number,
    rated.id as response_id,
    'default_question' as question_key,
    rated.survey_id as question_version,
    'transactional' as survey_kind,
    'csat' as survey_metric,
    -3 as scale_min,
    3 as scale_max,
    case when rated.code >= 100 then rated.code - 100 else rated.code + 100 end as score,
    rated.feedback as comment,
    coalesce(tickets.company_id, requester.company_id, requester.unique_external_id, requester.id) as account_id,
    coalesce(requester.unique_external_id, rated.user_id) as contact_id,
    rated.ticket_id,
    'email' as channel,
    rated.created_at as responded_at,
    rated.updated_at as source_updated_at
from rated
left join tickets on rated.ticket_id = tickets.id
left join contacts as requester on rated.user_id = requester.id
