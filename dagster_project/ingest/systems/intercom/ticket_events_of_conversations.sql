-- One row a conversation: its creation, the same in every version. It is the first event of its second.
select
    record_number,
    id as ticket_id,
    coalesce(date_diff('second', timestamp '2000-01-01', try_cast(created_at as timestamp)), 0) * 4294967296 as event_number,
    created_at as event_at,
    source_author_id as actor_id,
    case
        when source_author_type in ('user', 'lead', 'contact') then 'customer'
        when source_author_type = 'admin' then 'agent'
        when source_author_type = 'bot' then 'bot'
    end as actor_role,
    'created' as event_type,
    updated_at as source_updated_at
from source
