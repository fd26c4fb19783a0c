select
    chat_name(interaction_id) as chat_id,
    synced() as _fivetran_synced,
    'false' as authenticated,
    'chat' as backend,
    'chat' as channel,
    '1' as initiator,
    '[]' as tags,
    number(ticket_id) as ticket_id,
    390000000000 + number(contact_id) as user_id,
    'visitor-' || number(interaction_id) as visitor_id,
    '[]' as webpath
from interactions
where channel = 'chat'
order by started_at, interaction_id
