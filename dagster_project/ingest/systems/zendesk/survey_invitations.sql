-- One row a rating, asked for or not: `unoffered` was never sent.
select
    source.record_number,
    source.id as invitation_id,
    'transactional' as survey_kind,
    source.ticket_id,
    coalesce(
        organization.external_id, ticket.organization_id, requester.organization_id,
        case when requester.role = 'end-user' then coalesce(requester.external_id, requester.id) end
    ) as account_id,
    coalesce(requester.external_id, source.requester_id) as contact_id,
    'email' as channel,
    source.created_at as invited_at,
    case when source.score = 'unoffered' then 'not offered' end as suppressed_reason,
    source.updated_at as source_updated_at
from source
left join ticket on source.ticket_id = ticket.id
left join user as requester on source.requester_id = requester.id
left join organization on coalesce(ticket.organization_id, requester.organization_id) = organization.id
