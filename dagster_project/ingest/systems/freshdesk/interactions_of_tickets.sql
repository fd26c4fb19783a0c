-- One row a ticket: its description is the first message and is no conversation of its own. An outbound e-mail (source 10) goes out, all else comes in.
select
    source.record_number,
    'ticket_' || source.id as interaction_id,
    source.id as ticket_id,
    coalesce(source.company_id, requester.company_id, requester.unique_external_id, requester.id) as account_id,
    coalesce(requester.unique_external_id, source.requester_id) as contact_id,
    case
        when source.source in ('1', '10') then 'email'
        when source.source = '2' then 'portal'
        when source.source = '3' then 'phone'
        when source.source in ('4', '5', '6') then 'social'
        when source.source in ('7', '12') then 'chat'
        when source.source = '8' then 'app'
        when source.source = '9' then 'web_form'
        when source.source = '11' then 'marketplace'
        when source.source = '13' then 'messaging'
        else 'other'
    end as channel,
    case when source.source = '10' then 'out' else 'in' end as direction,
    coalesce(groups.name, source.group_id) as queue,
    source.created_at as started_at,
    'answered' as outcome,
    case when source.source = '10' then source.responder_id end as agent_id,
    coalesce(groups.name, source.group_id) as department_id,
    source.updated_at as source_updated_at,
    lower(source.deleted) = 'true' as is_deleted
from source
left join contacts as requester on source.requester_id = requester.id
left join groups on source.group_id = groups.id
