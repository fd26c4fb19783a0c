-- The last change of a field in a second is its row; merged, spam and deleted are not here but in tags, comments and the ticket itself.
with changes as (
    select
        number(ticket_id) as ticket_id,
        event_number::bigint as place,
        event_at as updated,
        case actor_role when 'agent' then 380000000000 + number(actor_id) when 'customer' then 390000000000 + number(actor_id) end as user_id,
        case when field_name = 'assignee' then 'assignee_id' when field_name = 'department' then 'group_id' else field_name end as field_name,
        case field_name
            when 'assignee' then (380000000000 + number(new_value))::varchar
            when 'department' then name_id(new_value)::varchar
            else replace(new_value, 'on_hold', 'hold')
        end as value
    from ticket_events
    where field_name is not null and (field_name <> 'status' or new_value not in ('merged', 'spam', 'deleted'))
    union all
    select number(ticket_id), 0, event_at, 390000000000 + number(actor_id), 'group_id', name_id(department_id)::varchar
    from ticket_events
    where event_type = 'created'
)

select field_name, ticket_id, plain(updated) as updated, synced() as _fivetran_synced, user_id, value
from (
    select field_name, ticket_id, updated, user_id, value
    from changes
    qualify row_number() over (partition by ticket_id, field_name, updated order by place desc) = 1
    union all
    select 'reopens' as field_name, number(ticket_id) as ticket_id, source_updated_at as updated, null::bigint as user_id, reopen_count as value
    from tickets where reopen_count <> '0'
    union all
    select 'total_time_spent_sec', number(ticket_id), source_updated_at, 380000000000 + number(assignee_id), handle_seconds
    from tickets where handle_seconds is not null
    union all
    select
        'satisfaction_score', number(ticket_id), responded_at, 390000000000 + number(contact_id),
        case when score::decimal(9, 4) >= 4 then 'good' else 'bad' end
    from survey_responses where survey_metric = 'csat' and ticket_id is not null
)
order by updated, ticket_id, field_name, value
