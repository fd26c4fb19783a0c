select
    chat_name(interaction_id) as chat_id,
    plain(happened_at) as created_at,
    synced() as _Company_synced,
    actor as actor_id,
    place as chat_index,
    'false' as is_history_context,
    kind as type
from (
    select interaction_id, started_at as happened_at, 'visitor' as actor, 0 as place, 'ChatStarted' as kind
    from interactions where channel = 'chat'
    union all
    select interaction_id, answered_at, 'agent:' || (380000000000 + number(agent_id)), 1, 'ChatJoin'
    from interactions where channel = 'chat' and answered_at is not null
    union all
    select interaction_id, ended_at, '__system', 2, 'ChatEnded'
    from interactions where channel = 'chat'
)
order by happened_at, interaction_id, place
