-- One row an activity of a ticket; numbered like its conversations (ticket_events_of_conversations.sql). An activity may change several fields: the
-- state wins, then the agent, then the group; `new_ticket` is the creation. A note is recognised by its conversation: here it is a changed field.
with activities as (
    select
        *,
        try_cast(activity as json) as details,
        try_strptime(performed_at, ['%d-%m-%Y %H:%M:%S %z', '%Y-%m-%dT%H:%M:%S%z']) as happened_at
    from source
)

select
    record_number,
    ticket_id,
    coalesce(date_diff('second', timestamptz '2000-01-01 00:00:00+00', happened_at), 0) * 4294967296
    + case
        when json_extract_string(details, '$.new_ticket') = 'true' then 0
        else ('0x' || left(md5('activity|' || activity), 8))::bigint
    end as event_number,
    happened_at as event_at,
    performer_id as actor_id,
    case lower(performer_type) when 'user' then 'agent' when 'agent' then 'agent' when 'contact' then 'customer' when 'system' then 'system' end as actor_role,
    case
        when json_extract_string(details, '$.new_ticket') = 'true' then 'created'
        when json_exists(details, '$.status') then 'status_change'
        when json_exists(details, '$.agent_id') then 'assignment'
        when json_exists(details, '$.group') then 'group_change'
        when json_exists(details, '$.automation') then 'automation'
        else 'field_change'
    end as event_type,
    case
        when json_exists(details, '$.status') then 'status'
        when json_exists(details, '$.agent_id') then 'agent_id'
        when json_exists(details, '$.group') then 'group'
        when json_exists(details, '$.priority') then 'priority'
        when json_exists(details, '$.note') then 'note'
    end as field_name,
    coalesce(
        json_extract_string(details, '$.status'), json_extract_string(details, '$.agent_id'), json_extract_string(details, '$.group'),
        json_extract_string(details, '$.priority')
    ) as new_value,
    json_extract_string(details, '$.group') as department_id,
    happened_at as source_updated_at
from activities
