-- One row a part of a conversation. The number is made of the second (since 2000) and a hash, so it orders a ticket's history by time and is the same
-- in whatever file the part comes. The text stays behind.
select
    record_number,
    conversation_id as ticket_id,
    coalesce(date_diff('second', timestamp '2000-01-01', try_cast(created_at as timestamp)), 0) * 4294967296
    + ('0x' || left(md5('part|' || id), 8))::bigint as event_number,
    created_at as event_at,
    author_id as actor_id,
    case
        when author_type in ('user', 'lead', 'contact') then 'customer'
        when author_type = 'admin' then 'agent'
        when author_type = 'bot' then 'bot'
    end as actor_role,
    case
        when part_type in ('comment', 'quick_reply') then 'public_comment'
        when part_type = 'note' then 'internal_note'
        when part_type in ('close', 'snoozed', 'unsnoozed', 'timer_unsnooze') then 'status_change'
        when part_type = 'open' then 'reopened'
        when part_type like '%assign%' then 'assignment'
        when author_type = 'bot' then 'automation'
        else 'field_change'
    end as event_type,
    part_type as field_name,
    case
        when part_type = 'close' then 'closed'
        when part_type = 'open' or part_type in ('unsnoozed', 'timer_unsnooze') then 'open'
        when part_type = 'snoozed' then 'on_hold'
        when part_type like '%assign%' then assigned_to_id
    end as new_value,
    updated_at as source_updated_at
from source
