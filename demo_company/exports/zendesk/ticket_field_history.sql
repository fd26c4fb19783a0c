select field_name, ticket_id, plain(updated) as updated, synced() as _fivetran_synced, user_id, value
from (
    select 'status' as field_name, number(ticket_id) as ticket_id, created_at as updated, null::bigint as user_id, 'open' as value
    from tickets
    union all
    select 'status', number(ticket_id), first_solved_at, 380000000000 + number(assignee_id), 'solved'
    from tickets where first_solved_at is not null
    union all
    select 'status', number(ticket_id), last_solved_at, 380000000000 + number(assignee_id), 'solved'
    from tickets where last_solved_at > first_solved_at
    union all
    select 'status', number(ticket_id), closed_at, null, 'closed'
    from tickets where closed_at is not null
    union all
    select 'reopens', number(ticket_id), source_updated_at, null, reopen_count
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
