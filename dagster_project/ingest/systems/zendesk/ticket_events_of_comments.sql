-- One row a comment, public or internal; numbered like the changes of fields (ticket_events_of_fields.sql). The text stays behind.
select
    source.record_number,
    source.ticket_id,
    coalesce(date_diff('second', timestamp '2000-01-01', try_cast(source.created as timestamp)), 0) * 4294967296
    + ('0x' || left(md5('comment|' || source.id), 8))::bigint as event_number,
    source.created as event_at,
    coalesce(author.external_id, source.user_id) as actor_id,
    case
        when author.role in ('agent', 'admin') then 'agent'
        when author.id is not null or source.user_id = ticket.requester_id then 'customer'
        when source.user_id is null or source.user_id = '-1' then 'system'
    end as actor_role,
    case when lower(source.public) = 'true' then 'public_comment' else 'internal_note' end as event_type,
    source.created as source_updated_at
from source
left join ticket on source.ticket_id = ticket.id
left join user as author on source.user_id = author.id
