-- One row a chat, timed by its events: it starts with the first, is answered when an agent joins or writes, ends with the last.
-- Bots write as agents too, but never join. How many chats the agent had at once is not in the export.
with events as (
    select
        ticket_chat_event.chat_id,
        try_cast(ticket_chat_event.created_at as timestamp) as happened_at,
        ticket_chat_event.type,
        nullif(regexp_extract(ticket_chat_event.actor_id, '(\d+)$', 1), '') as agent_id,
        coalesce(ticket_chat_event.actor_id like 'agent:%' or actor.role in ('agent', 'admin'), false) as is_agent
    from ticket_chat_event
    left join user as actor on ticket_chat_event.actor_id = actor.id
),

chats as (
    select
        chat_id,
        min(happened_at) as started_at,
        min(happened_at) filter (where is_agent and type = 'ChatJoin') as answered_at,
        max(happened_at) as ended_at,
        arg_min(agent_id, (happened_at, agent_id)) filter (where is_agent and type = 'ChatJoin') as agent_id,
        greatest(count(distinct agent_id) filter (where is_agent and type = 'ChatJoin') - 1, 0) as transfer_count,
        min(happened_at) filter (where is_agent and type in ('ChatMessage', 'ChatFileAttachment')) as first_reply_at,
        count(*) filter (where is_agent and type in ('ChatMessage', 'ChatFileAttachment')) as messages_agent_count,
        count(*) filter (where not is_agent and type in ('ChatMessage', 'ChatFileAttachment')) as messages_customer_count
    from events
    group by chat_id
)

select
    source.record_number,
    'chat_' || source.chat_id as interaction_id,
    source.ticket_id,
    coalesce(
        organization.external_id, ticket.organization_id, visitor.organization_id,
        case when visitor.role = 'end-user' then coalesce(visitor.external_id, visitor.id) end
    ) as account_id,
    coalesce(visitor.external_id, source.user_id) as contact_id,
    case when source.channel in ('chat', 'email', 'sms') then source.channel else 'messaging' end as channel,
    'in' as direction,
    coalesce("group".name, ticket.group_id) as queue,
    coalesce(chats.started_at, try_cast(ticket.created_at as timestamp)) as started_at,
    chats.started_at as queued_at,
    chats.answered_at,
    chats.ended_at,
    case
        when chats.answered_at is not null then 'answered'
        when chats.chat_id is null then 'not_answered'
        else 'abandoned_queue'
    end as outcome,
    date_diff('second', chats.started_at, coalesce(chats.answered_at, chats.ended_at)) as queue_seconds,
    date_diff('second', chats.answered_at, chats.ended_at) as talk_seconds,
    coalesce(agent.external_id, chats.agent_id) as agent_id,
    coalesce("group".name, ticket.group_id) as department_id,
    chats.transfer_count,
    chats.first_reply_at,
    chats.messages_agent_count,
    chats.messages_customer_count,
    chats.ended_at as source_updated_at
from source
left join chats on source.chat_id = chats.chat_id
left join ticket on source.ticket_id = ticket.id
left join user as visitor on source.user_id = visitor.id
left join user as agent on chats.agent_id = agent.id
left join organization on coalesce(ticket.organization_id, visitor.organization_id) = organization.id
left join "group" on ticket.group_id = "group".id
