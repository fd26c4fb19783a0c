-- One row a public comment: a message of the customer (in) or of an agent (out). Calls and chats have streams of their own, so the comment that
-- reports a call and the transcript of a chat are excluded. Comments carry no time worked: their cost is a standard time of the channel. Where the
-- ticket names no requester, the customer who wrote the comment is the contact.
select
    source.record_number,
    'comment_' || source.id as interaction_id,
    source.ticket_id,
    coalesce(
        organization.external_id, ticket.organization_id, requester.organization_id,
        case when requester.role = 'end-user' then coalesce(requester.external_id, requester.id) end
    ) as account_id,
    coalesce(requester.external_id, ticket.requester_id, requester.id) as contact_id,
    case
        when ticket.via_channel in ('web', 'web_form', 'web_widget') then 'web_form'
        when ticket.via_channel in ('help_center', 'helpcenter') then 'portal'
        when ticket.via_channel in ('mobile', 'mobile_sdk') then 'app'
        when ticket.via_channel in ('native_messaging', 'messaging', 'whatsapp', 'line', 'telegram', 'apple_business_chat') then 'messaging'
        when regexp_matches(ticket.via_channel, '^(facebook|twitter|instagram|any_channel|x_)') then 'social'
        when ticket.via_channel = 'sms' then 'sms'
        else 'email'
    end as channel,
    case when author.role in ('agent', 'admin') then 'out' else 'in' end as direction,
    coalesce("group".name, ticket.group_id) as queue,
    source.created as started_at,
    'answered' as outcome,
    case when author.role in ('agent', 'admin') then coalesce(author.external_id, author.id) end as agent_id,
    coalesce("group".name, ticket.group_id) as department_id,
    case when author.role in ('agent', 'admin') then 1 else 0 end as messages_agent_count,
    case when author.role in ('agent', 'admin') then 0 else 1 end as messages_customer_count,
    source.created as source_updated_at
from source
left join ticket on source.ticket_id = ticket.id
left join user as author on source.user_id = author.id
left join user as requester on coalesce(ticket.requester_id, case when author.role = 'end-user' then author.id end) = requester.id
left join organization on coalesce(ticket.organization_id, requester.organization_id) = organization.id
left join "group" on ticket.group_id = "group".id
where
    lower(source.public) = 'true'
    and coalesce(lower(source.voice_comment), 'false') <> 'true'
    and not regexp_matches(coalesce(source.body, ''), '^(Chat started|Conversation with )')
