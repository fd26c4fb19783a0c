-- One row a reply or note. The number is made of the second (since 2000) and a hash, so it orders a ticket's history by time and is the same in
-- whatever file the record comes. The text stays behind.
select
    record_number,
    ticket_id,
    coalesce(date_diff('second', timestamptz '2000-01-01 00:00:00+00', try_cast(created_at as timestamptz)), 0) * 4294967296
    + ('0x' || left(md5('conversation|' || id), 8))::bigint as event_number,
    created_at as event_at,
    user_id as actor_id,
    case when lower(incoming) = 'true' then 'customer' else 'agent' end as actor_role,
    case when lower(private) = 'true' then 'internal_note' else 'public_comment' end as event_type,
    updated_at as source_updated_at
from source
