-- One row a rating that was given: good is 1, bad is 0. An offered rating without an answer is an invitation only.
select
    source.record_number,
    source.id as response_id,
    'satisfaction' as question_key,
    source.id as invitation_id,
    'transactional' as survey_kind,
    'csat' as survey_metric,
    0 as scale_min,
    1 as scale_max,
    case when source.score like 'good%' then 1 else 0 end as score,
    source.reason as choice,
    source.comment,
    coalesce(
        organization.external_id, ticket.organization_id, requester.organization_id,
        case when requester.role = 'end-user' then coalesce(requester.external_id, requester.id) end
    ) as account_id,
    coalesce(requester.external_id, source.requester_id) as contact_id,
    source.ticket_id,
    'email' as channel,
    source.created_at as invited_at,
    source.updated_at as responded_at,
    source.updated_at as source_updated_at
from source
left join ticket on source.ticket_id = ticket.id
left join user as requester on source.requester_id = requester.id
left join organization on coalesce(ticket.organization_id, requester.organization_id) = organization.id
where source.score like 'good%' or source.score like 'bad%'
