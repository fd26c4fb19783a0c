select
    comment_number(interaction_id) as id,
    synced() as _fivetran_synced,
    case direction when 'out' then 'Answer of the service desk.' else 'Message of the customer.' end as body,
    plain(started_at) as created,
    'FALSE' as facebook_comment,
    'TRUE' as public,
    number(ticket_id) as ticket_id,
    'FALSE' as tweet,
    case direction when 'out' then 380000000000 + number(agent_id) else 390000000000 + number(contact_id) end as user_id,
    'FALSE' as voice_comment
from interactions
where channel not in ('phone', 'chat')
union all
select
    600000000000 + number(ticket_id),
    synced(),
    'This request was closed and merged into request #' || number(merged_into_ticket_id),
    plain(source_updated_at),
    'FALSE',
    'FALSE',
    number(ticket_id),
    'FALSE',
    380000000000 + number(assignee_id),
    'FALSE'
from tickets
where merged_into_ticket_id is not null
order by created, id
