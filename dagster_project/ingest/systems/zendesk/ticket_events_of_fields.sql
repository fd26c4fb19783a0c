-- One row a change of a field. The number is made of the second (since 2000) and a hash of the change, so it orders a ticket's history by time and is
-- the same in whatever file the change comes. The first state of a ticket is its creation. Values of free text fields are left behind.
with changes as (
    select
        source.*,
        ticket.id is not null and source.field_name = 'status'
        and abs(date_diff('second', try_cast(ticket.created_at as timestamp), try_cast(source.updated as timestamp))) <= 2 as is_creation
    from source
    left join ticket on source.ticket_id = ticket.id
)

select
    changes.record_number,
    changes.ticket_id,
    coalesce(date_diff('second', timestamp '2000-01-01', try_cast(changes.updated as timestamp)), 0) * 4294967296
    + case
        when changes.is_creation then 0
        else ('0x' || left(md5(concat_ws('|', 'field', changes.field_name, changes.updated)), 8))::bigint
    end as event_number,
    changes.updated as event_at,
    coalesce(actor.external_id, changes.user_id) as actor_id,
    case
        when actor.role in ('agent', 'admin') then 'agent'
        when actor.id is not null then 'customer'
        when changes.user_id is null or changes.user_id = '-1' then 'system'
    end as actor_role,
    case
        when changes.is_creation then 'created'
        when changes.field_name = 'status' and changes.value = 'deleted' then 'deleted'
        when changes.field_name = 'status' then 'status_change'
        when changes.field_name = 'assignee_id' then 'assignment'
        when changes.field_name = 'group_id' then 'group_change'
        else 'field_change'
    end as event_type,
    changes.field_name,
    case
        when changes.field_name = 'assignee_id' then coalesce(assignee.external_id, changes.value)
        when changes.field_name = 'status' and changes.value in ('hold', 'on-hold') then 'on_hold'
        when changes.field_name in (
            'status', 'group_id', 'priority', 'type', 'satisfaction_score', 'reopens', 'total_time_spent_sec', 'brand_id', 'ticket_form_id'
        ) then changes.value
    end as new_value,
    case when changes.field_name = 'group_id' then coalesce("group".name, changes.value) end as department_id,
    changes.updated as source_updated_at
from changes
left join user as actor on changes.user_id = actor.id
left join user as assignee on changes.field_name = 'assignee_id' and changes.value = assignee.id
left join "group" on changes.field_name = 'group_id' and changes.value = "group".id
