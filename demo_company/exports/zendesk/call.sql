select
    call_number(interaction_id) as id,
    plain(started_at) as created_at,
    plain(source_updated_at) as updated_at,
    380000000000 + number(agent_id) as agent_id,
    case outcome when 'answered' then 'completed' else 'abandoned_in_queue' end as completion_status,
    390000000000 + number(contact_id) as customer_id,
    case direction when 'out' then 'outbound' else 'inbound' end as direction,
    date_diff('second', started_at::timestamptz, ended_at::timestamptz) as duration,
    hold_seconds as hold_time,
    number(ticket_id) as ticket_id,
    case outcome when 'answered' then queue_seconds end as time_to_answer,
    'false' as voicemail,
    queue_seconds as wait_time,
    wrap_seconds as wrap_up_time,
    talk_seconds as talk_time,
    'false' as callback,
    name_id(department_id) as call_group_id,
    'phone' as line_type
from interactions
where channel = 'phone'
order by started_at, interaction_id
