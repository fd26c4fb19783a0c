select
    number(ticket_id) as id,
    synced() as _fivetran_synced,
    'FALSE' as allow_channelback,
    380000000000 + number(assignee_id) as assignee_id,
    plain(created_at) as created_at,
    issue_code as description,
    ticket_id as external_id,
    name_id(department_id) as group_id,
    'FALSE' as has_incidents,
    'TRUE' as is_public,
    360000000000 + number(account_id) as organization_id,
    priority,
    390000000000 + number(contact_id) as requester_id,
    case when is_deleted = 'true' then 'deleted' when ticket_state in ('spam', 'merged') then 'closed' else ticket_state end as status,
    issue_code as subject,
    390000000000 + number(contact_id) as submitter_id,
    case ticket_type when 'complaint' then 'question' when 'request' then 'task' else ticket_type end as type,
    plain(source_updated_at) as updated_at,
    'https://demo.zendesk.com/api/v2/tickets/' || number(ticket_id) || '.json' as url,
    case channel when 'phone' then 'voice' when 'web_form' then 'web' else channel end as via_channel,
    '[]' as merged_ticket_ids
from tickets
order by source_updated_at, ticket_id
