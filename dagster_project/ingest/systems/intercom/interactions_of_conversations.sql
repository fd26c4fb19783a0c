-- One row a conversation that a customer or an agent began: its first message. Campaigns and automatic messages are no work of an agent.
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

replies as (
    select conversation_id, min(try_cast(created_at as timestamp)) as first_reply_at
    from conversation_part_history
    where author_type = 'admin' and (part_type = 'comment' or (part_type in ('open', 'close', 'assignment', 'assign_and_reopen') and body is not null))
    group by conversation_id
),

conversations as (
    select
        source.*,
        coalesce(
            case when source.source_author_type in ('user', 'lead', 'contact') then source.source_author_id end, participants.contact_id
        ) as customer_id,
        case when source.assignee_type = 'team' then source.assignee_id else teams.team_id end as team_id,
        source.source_delivered_as = 'admin_initiated' as is_outbound
    from source
    left join participants on source.id = participants.conversation_id
    left join teams on source.assignee_type = 'admin' and source.assignee_id = teams.admin_id
    where source.source_delivered_as in ('customer_initiated', 'admin_initiated')
)

select
    conversations.record_number,
    'conversation_' || conversations.id as interaction_id,
    conversations.id as ticket_id,
    coalesce(companies.account_id, customer.external_id, customer.id) as account_id,
    coalesce(customer.external_id, conversations.customer_id) as contact_id,
    case
        when conversations.source_type in ('email', 'sms') then conversations.source_type
        when conversations.source_type in ('facebook', 'twitter', 'instagram') then 'social'
        when conversations.source_type in ('conversation', 'whatsapp', 'push', 'messenger') then 'messaging'
        else 'other'
    end as channel,
    case when conversations.is_outbound then 'out' else 'in' end as direction,
    coalesce(team.name, conversations.team_id) as queue,
    conversations.created_at as started_at,
    'answered' as outcome,
    case when conversations.is_outbound then conversations.source_author_id end as agent_id,
    coalesce(team.name, conversations.team_id) as department_id,
    replies.first_reply_at,
    case when conversations.is_outbound then 1 else 0 end as messages_agent_count,
    case when conversations.is_outbound then 0 else 1 end as messages_customer_count,
    conversations.updated_at as source_updated_at
from conversations
left join companies on conversations.customer_id = companies.contact_id
left join contact_history as customer on conversations.customer_id = customer.id
left join team on conversations.team_id = team.id
left join replies on conversations.id = replies.conversation_id
where coalesce(conversations.source_type, '') not in ('phone_call', 'phone_switch')
