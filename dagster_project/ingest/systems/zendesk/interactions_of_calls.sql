-- One row a call, whatever the number of its legs: talk, hold and wrap of a call already hold those of its legs, which only tell how often it was handed on.
with legs as (
    select call_id, greatest(count(*) filter (where type = 'agent' and completion_status = 'completed') - 1, 0) as transfer_count
    from call_leg
    group by call_id
)

select
    source.record_number,
    'call_' || source.id as interaction_id,
    source.ticket_id,
    coalesce(
        organization.external_id, ticket.organization_id, caller.organization_id,
        case when caller.role = 'end-user' then coalesce(caller.external_id, caller.id) end
    ) as account_id,
    coalesce(caller.external_id, source.customer_id) as contact_id,
    'phone' as channel,
    case when source.direction like 'outbound%' then 'out' else 'in' end as direction,
    coalesce("group".name, source.call_group_id) as queue,
    source.created_at as started_at,
    try_cast(source.created_at as timestamp) + to_seconds(coalesce(try_cast(source.ivr_time_spent as bigint), 0)) as queued_at,
    case
        when source.completion_status = 'completed'
            then try_cast(source.created_at as timestamp) + to_seconds(coalesce(try_cast(source.time_to_answer as bigint), try_cast(source.wait_time as bigint)))
    end as answered_at,
    try_cast(source.created_at as timestamp) + to_seconds(try_cast(source.duration as bigint)) as ended_at,
    case
        when lower(source.voicemail) = 'true' or source.completion_status = 'pending_voicemail' then 'voicemail'
        when source.completion_status = 'completed' then 'answered'
        when source.completion_status in ('abandoned_in_queue', 'abandoned_in_voicemail') then 'abandoned_queue'
        when source.completion_status = 'abandoned_in_ivr' then 'abandoned_ivr'
        when source.completion_status = 'abandoned_on_hold' then 'abandoned_hold'
        when source.completion_status in ('not_answered', 'agent_missed', 'agent_declined') then 'not_answered'
        else source.completion_status
    end as outcome,
    source.ivr_time_spent as ivr_seconds,
    source.wait_time as queue_seconds,
    source.talk_time as talk_seconds,
    source.hold_time as hold_seconds,
    source.wrap_up_time as wrap_seconds,
    coalesce(agent.external_id, source.agent_id) as agent_id,
    coalesce("group".name, source.call_group_id) as department_id,
    legs.transfer_count,
    source.updated_at as source_updated_at
from source
left join legs on source.id = legs.call_id
left join ticket on source.ticket_id = ticket.id
left join user as caller on source.customer_id = caller.id
left join user as agent on source.agent_id = agent.id
left join organization on coalesce(ticket.organization_id, caller.organization_id) = organization.id
left join "group" on source.call_group_id = "group".id
