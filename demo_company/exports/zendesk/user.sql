select
    390000000000 + number(contact_id) as id,
    synced() as _fivetran_synced,
    'TRUE' as active,
    'FALSE' as chat_only,
    plain(source_updated_at) as created_at,
    lower(contact_id) || '@customers.example' as email,
    contact_id as external_id,
    'Contact ' || number(contact_id) as name,
    360000000000 + number(account_id) as organization_id,
    'end-user' as role,
    'FALSE' as suspended,
    plain(source_updated_at) as updated_at,
    'TRUE' as verified
from contacts
union all
select
    380000000000 + number(agent_id),
    synced(),
    'TRUE',
    'FALSE',
    getvariable('day') || ' 00:00:00',
    lower(agent_id) || '@demo.example',
    agent_id,
    'Agent ' || number(agent_id),
    null,
    'agent',
    'FALSE',
    getvariable('day') || ' 00:00:00',
    'TRUE'
from (select assignee_id as agent_id from tickets union select agent_id from interactions)
where agent_id is not null
order by id, updated_at
