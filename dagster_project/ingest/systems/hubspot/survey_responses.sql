-- One row a submission. Recommendation runs from 0 to 10, effort from 1 to 7; the scale of a satisfaction survey is the portal's own and not in the
-- export, so such an answer keeps its value and stays out of shares until the mapping is copied and the scale written into it.
select
    source.record_number,
    source.id as response_id,
    coalesce(source.property_hs_survey_id, lower(source.property_hs_survey_type)) as question_key,
    case source.property_hs_survey_type when 'NPS' then 'relationship' else 'transactional' end as survey_kind,
    case source.property_hs_survey_type when 'NPS' then 'nps' when 'CES' then 'ces' when 'CSAT' then 'csat' else 'other' end as survey_metric,
    case source.property_hs_survey_type when 'NPS' then 0 when 'CES' then 1 end as scale_min,
    case source.property_hs_survey_type when 'NPS' then 10 when 'CES' then 7 end as scale_max,
    source.property_hs_value as score,
    source.property_hs_response_group as choice,
    source.property_hs_content as comment,
    coalesce(contact.property_associatedcompanyid, source.property_hs_contact_id) as account_id,
    source.property_hs_contact_id as contact_id,
    case source.property_hs_survey_channel when 'EMAIL' then 'email' when 'WEB' then 'web_form' when 'LINK' then 'web_form' when 'CHAT' then 'chat' end as channel,
    source.property_hs_submission_timestamp as responded_at,
    coalesce(source.property_hs_lastmodifieddate, source.property_hs_submission_timestamp) as source_updated_at
from source
left join contact on source.property_hs_contact_id = contact.id
