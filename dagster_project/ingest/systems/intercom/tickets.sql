-- One row a conversation. Intercom closes where others solve: the parts of type close give both moments, and a step from closed to any other state is a
-- reopening. What it has no column for comes from tags: spam, complaint, problem_report, issue_, order_, product_, type_, escalation_.
with tags as (
    select
        conversation_tag_history.conversation_id,
        list_sort(list_distinct(list(coalesce(tag.name, conversation_tag_history.tag_id)))) as tag_list
    from conversation_tag_history
    left join tag on conversation_tag_history.tag_id = tag.id
    group by conversation_tag_history.conversation_id
),

steps as (
    select
        conversation_id,
        try_cast(created_at as timestamp) as moved_at,
        part_type = 'close' as is_done,
        coalesce(lag(part_type) over (partition by conversation_id order by try_cast(created_at as timestamp), id) = 'close', false) as was_done
    from conversation_part_history
    where part_type in ('close', 'open', 'assign_and_reopen', 'snoozed', 'unsnoozed', 'timer_unsnooze')
),

moments as (
    select
        conversation_id,
        min(moved_at) filter (where is_done) as first_closed_at,
        max(moved_at) filter (where is_done) as last_closed_at,
        count(*) filter (where was_done and not is_done) as reopen_count
    from steps
    group by conversation_id
),

participants as (
    select conversation_id, min(contact_id) as contact_id
    from conversation_contact_history
    group by conversation_id
),

companies as (
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
    select team_admin.admin_id, min(team_admin.team_id) as team_id
    from team_admin
    group by team_admin.admin_id
),

conversations as (
    select
        source.*,
        coalesce(
            case when source.source_author_type in ('user', 'lead', 'contact') then source.source_author_id end, participants.contact_id
        ) as customer_id,
        case when source.assignee_type = 'team' then source.assignee_id else teams.team_id end as team_id,
        tags.tag_list,
        list_filter(tags.tag_list, name -> name in ('type_complaint', 'type_request', 'type_feedback'))[1] as type_tag,
        list_filter(tags.tag_list, name -> name like 'issue\_%' escape '\')[1] as issue_tag,
        list_filter(tags.tag_list, name -> name like 'order\_%' escape '\')[1] as order_tag,
        list_filter(tags.tag_list, name -> name like 'product\_%' escape '\')[1] as product_tag,
        list_filter(tags.tag_list, name -> regexp_full_match(name, 'escalation_[0-4]'))[1] as escalation_tag
    from source
    left join tags on source.id = tags.conversation_id
    left join participants on source.id = participants.conversation_id
    left join teams on source.assignee_type = 'admin' and source.assignee_id = teams.admin_id
)

select
    conversations.record_number,
    conversations.id as ticket_id,
    conversations.id as ticket_number,
    coalesce(companies.account_id, customer.external_id, customer.id) as account_id,
    coalesce(customer.external_id, conversations.customer_id) as contact_id,
    conversations.created_at,
    moments.first_closed_at as first_solved_at,
    moments.last_closed_at as last_solved_at,
    case when conversations.state = 'closed' then moments.last_closed_at end as closed_at,
    case
        when list_contains(conversations.tag_list, 'spam') then 'spam'
        when conversations.state = 'snoozed' then 'on_hold'
        else conversations.state
    end as ticket_state,
    case
        when conversations.source_type in ('email', 'sms') then conversations.source_type
        when conversations.source_type in ('phone_call', 'phone_switch') then 'phone'
        when conversations.source_type in ('facebook', 'twitter', 'instagram') then 'social'
        when conversations.source_type in ('conversation', 'whatsapp', 'push', 'messenger') then 'messaging'
        else 'other'
    end as channel,
    case conversations.priority when 'priority' then 'high' when 'not_priority' then 'normal' end as priority,
    substr(conversations.type_tag, 6) as ticket_type,
    substr(conversations.issue_tag, 7) as issue_code,
    substr(conversations.product_tag, 9) as product_id,
    substr(conversations.order_tag, 7) as order_id,
    coalesce(team.name, conversations.team_id) as department_id,
    conversations.team_id as group_id,
    case when conversations.assignee_type = 'admin' then conversations.assignee_id end as assignee_id,
    case
        when conversations.source_author_type in ('user', 'lead', 'contact') then 'customer'
        when conversations.source_author_type = 'admin' then 'agent'
        when conversations.source_author_type = 'bot' then 'bot'
    end as submitter_role,
    substr(conversations.escalation_tag, 12) as escalation_level,
    coalesce(list_contains(conversations.tag_list, 'complaint') or conversations.type_tag = 'type_complaint', false) as is_complaint,
    coalesce(list_contains(conversations.tag_list, 'problem_report'), false) as is_problem_report,
    moments.reopen_count,
    conversations.conversation_rating_value as csat_latest_score,
    array_to_string(conversations.tag_list, ',') as tags,
    conversations.updated_at as source_updated_at
from conversations
left join moments on conversations.id = moments.conversation_id
left join companies on conversations.customer_id = companies.contact_id
left join contact_history as customer on conversations.customer_id = customer.id
left join team on conversations.team_id = team.id
