-- One row a message in a conversation, of the customer (in) or of an admin (out). Bots and notes are no contact with an agent. A message that opens,
-- closes or assigns the conversation is a part of that type with a text.
with companies as (
    select
        contact_company_history.contact_id,
        max_by(
            coalesce(company_history.company_id, contact_company_history.company_id),
            (try_cast(contact_company_history.contact_updated_at as timestamp), contact_company_history.company_id)
        ) as account_id
    from contact_company_history
    left join company_history on contact_company_history.company_id = company_history.id
    group by contact_company_history.contact_id
),

teams as (
    select admin_id, min(team_id) as team_id
    from team_admin
    group by admin_id
),

participants as (
    select conversation_id, min(contact_id) as contact_id
    from conversation_contact_history
    group by conversation_id
),

messages as (
    select
        source.*,
        coalesce(
            case when source.author_type <> 'admin' then source.author_id end,
            case when conversation.source_author_type in ('user', 'lead', 'contact') then conversation.source_author_id end,
            participants.contact_id
        ) as customer_id,
        conversation.source_type,
        case when conversation.assignee_type = 'team' then conversation.assignee_id else teams.team_id end as team_id
    from source
    left join conversation_history as conversation on source.conversation_id = conversation.id
    left join participants on source.conversation_id = participants.conversation_id
    left join teams on conversation.assignee_type = 'admin' and conversation.assignee_id = teams.admin_id
    where
        source.part_type in ('comment', 'quick_reply', 'open', 'close', 'assignment', 'assign_and_reopen') and source.body is not null
        and source.author_type in ('admin', 'user', 'lead', 'contact')
)

select
    messages.record_number,
    'part_' || messages.id as interaction_id,
    messages.conversation_id as ticket_id,
    coalesce(companies.account_id, customer.external_id, customer.id) as account_id,
    coalesce(customer.external_id, messages.customer_id) as contact_id,
    case
        when messages.source_type in ('email', 'sms') then messages.source_type
        when messages.source_type in ('facebook', 'twitter', 'instagram') then 'social'
        else 'messaging'
    end as channel,
    case when messages.author_type = 'admin' then 'out' else 'in' end as direction,
    coalesce(team.name, messages.team_id) as queue,
    messages.created_at as started_at,
    'answered' as outcome,
    case when messages.author_type = 'admin' then messages.author_id end as agent_id,
    coalesce(team.name, messages.team_id) as department_id,
    case when messages.author_type = 'admin' then 1 else 0 end as messages_agent_count,
    case when messages.author_type = 'admin' then 0 else 1 end as messages_customer_count,
    messages.updated_at as source_updated_at
from messages
left join companies on messages.customer_id = companies.contact_id
left join contact_history as customer on messages.customer_id = customer.id
left join team on messages.team_id = team.id
