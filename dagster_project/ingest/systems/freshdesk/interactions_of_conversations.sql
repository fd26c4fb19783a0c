-- One row a public reply: of the customer (incoming) or of an agent. Private notes are events of the ticket only.
select
    source.record_number,
    'conversation_' || source.id as interaction_id,
    source.ticket_id,
    coalesce(tickets.company_id, requester.company_id, requester.unique_external_id, requester.id) as account_id,
    coalesce(requester.unique_external_id, tickets.requester_id) as contact_id,
    case
        when source.source in ('5', '6') then 'social'
        when source.source = '8' then 'portal'
        when source.source = '9' then 'messaging'
        else 'email'
    end as channel,
    case when lower(source.incoming) = 'true' then 'in' else 'out' end as direction,
    coalesce(groups.name, tickets.group_id) as queue,
    source.created_at as started_at,
    'answered' as outcome,
    case when lower(source.incoming) = 'true' then null else source.user_id end as agent_id,
    coalesce(groups.name, tickets.group_id) as department_id,
    case when lower(source.incoming) = 'true' then 0 else 1 end as messages_agent_count,
    case when lower(source.incoming) = 'true' then 1 else 0 end as messages_customer_count,
    source.updated_at as source_updated_at
from source
left join tickets on source.ticket_id = tickets.id
left join contacts as requester on tickets.requester_id = requester.id
left join groups on tickets.group_id = groups.id
where lower(coalesce(source.private, 'false')) <> 'true'
