-- One row a ticket. Freshdesk tells the last moments of resolving and closing; the first one, and how often it was reopened, come from the activities:
-- a ticket is solved when it steps to resolved or closed from a state that is neither, and reopened when it steps back. Closed after a reopening
-- without being resolved again, it is solved when it was closed. Merged is a closed ticket with the note that Freshdesk writes into it; one that is
-- opened again is a ticket of its own. What Freshdesk has no column for comes from tags: complaint, problem_report, issue_,
-- order_, type_, escalation_.
with tagged as (
    select *, list_sort(list_distinct(json_extract_string(try_cast(tags as json), '$[*]'))) as tag_list
    from source
),

moves as (
    select
        ticket_id,
        activity,
        try_strptime(performed_at, ['%d-%m-%Y %H:%M:%S %z', '%Y-%m-%dT%H:%M:%S%z']) as moved_at,
        json_extract_string(try_cast(activity as json), '$.status') as state
    from ticket_activities
),

steps as (
    select
        ticket_id,
        moved_at,
        state in ('Resolved', '4') as is_solved,
        state in ('Resolved', 'Closed', '4', '5') as is_done,
        coalesce(lag(state) over (partition by ticket_id order by moved_at, activity) in ('Resolved', 'Closed', '4', '5'), false) as was_done
    from moves
    where state is not null
),

moments as (
    select
        ticket_id,
        min(moved_at) filter (where is_solved or (is_done and not was_done)) as first_solved_at,
        max(moved_at) filter (where is_solved or (is_done and not was_done)) as last_solved_at,
        count(*) filter (where was_done and not is_done) as reopen_count
    from steps
    group by ticket_id
),

time_spent as (
    select
        ticket_id,
        sum(try_cast(split_part(time_spent, ':', 1) as bigint) * 3600 + try_cast(split_part(time_spent, ':', 2) as bigint) * 60)::bigint as handle_seconds
    from time_entries
    group by ticket_id
),

mergers as (
    select ticket_id, max_by(regexp_extract(body_text, 'closed and merged into ticket #?(\d+)', 1), (try_cast(created_at as timestamptz), id)) as surviving_ticket_id
    from conversations
    where lower(private) = 'true' and regexp_matches(body_text, '^\s*This ticket [A-Za-z ]*closed and merged into ticket #?\d+')
    group by ticket_id
),

described as (
    select
        *,
        case
            when try_cast(stats__reopened_at as timestamptz) >= try_cast(stats__resolved_at as timestamptz) and status in ('4', '5')
                then try_cast(stats__closed_at as timestamptz)
            else coalesce(try_cast(stats__resolved_at as timestamptz), try_cast(stats__closed_at as timestamptz))
        end as resolved_at,
        list_filter(tag_list, tag -> tag in ('type_complaint', 'type_request', 'type_feedback'))[1] as type_tag,
        list_filter(tag_list, tag -> tag like 'issue\_%' escape '\')[1] as issue_tag,
        list_filter(tag_list, tag -> tag like 'order\_%' escape '\')[1] as order_tag,
        list_filter(tag_list, tag -> regexp_full_match(tag, 'escalation_[0-4]'))[1] as escalation_tag
    from tagged
)

select
    described.record_number,
    described.id as ticket_id,
    described.id as ticket_number,
    coalesce(described.company_id, requester.company_id, requester.unique_external_id, requester.id) as account_id,
    coalesce(requester.unique_external_id, described.requester_id) as contact_id,
    described.created_at,
    coalesce(moments.first_solved_at, described.resolved_at) as first_solved_at,
    greatest(described.resolved_at, moments.last_solved_at) as last_solved_at,
    described.stats__closed_at as closed_at,
    case
        when lower(described.deleted) = 'true' then 'deleted'
        when lower(described.spam) = 'true' then 'spam'
        when described.status = '5' and mergers.surviving_ticket_id is not null then 'merged'
        when described.status = '2' then 'open'
        when described.status in ('3', '6') then 'pending'
        when described.status = '7' then 'on_hold'
        when described.status = '4' then 'solved'
        when described.status = '5' then 'closed'
        when try_cast(described.status as integer) > 7 then 'open'
        else described.status
    end as ticket_state,
    case when described.status = '5' then mergers.surviving_ticket_id end as merged_into_ticket_id,
    case
        when described.source in ('1', '10') then 'email'
        when described.source = '2' then 'portal'
        when described.source = '3' then 'phone'
        when described.source in ('4', '5', '6') then 'social'
        when described.source in ('7', '12') then 'chat'
        when described.source = '8' then 'app'
        when described.source = '9' then 'web_form'
        when described.source = '11' then 'marketplace'
        when described.source = '13' then 'messaging'
        else 'other'
    end as channel,
    case described.priority when '1' then 'low' when '2' then 'normal' when '3' then 'high' when '4' then 'urgent' else described.priority end as priority,
    coalesce(
        substr(described.type_tag, 6),
        case lower(described.type)
            when 'feature request' then 'request'
            when 'question' then 'question'
            when 'incident' then 'incident'
            when 'problem' then 'problem'
            when 'complaint' then 'complaint'
            when 'feedback' then 'feedback'
        end
    ) as ticket_type,
    substr(described.issue_tag, 7) as issue_code,
    described.product_id,
    substr(described.order_tag, 7) as order_id,
    coalesce(groups.name, described.group_id) as department_id,
    described.group_id,
    described.responder_id as assignee_id,
    coalesce(substr(described.escalation_tag, 12), case when lower(described.is_escalated) = 'true' then '1' else '0' end) as escalation_level,
    coalesce(
        list_contains(described.tag_list, 'complaint') or described.type_tag = 'type_complaint' or lower(described.type) = 'complaint', false
    ) as is_complaint,
    coalesce(list_contains(described.tag_list, 'problem_report'), false) as is_problem_report,
    moments.reopen_count,
    time_spent.handle_seconds,
    time_spent.handle_seconds is not null as is_handle_time_total,
    nullif(array_to_string(described.tag_list, ','), '') as tags,
    described.updated_at as source_updated_at,
    lower(described.deleted) = 'true' as is_deleted
from described
left join moments on described.id = moments.ticket_id
left join time_spent on described.id = time_spent.ticket_id
left join mergers on described.id = mergers.ticket_id
left join contacts as requester on described.requester_id = requester.id
left join groups on described.group_id = groups.id
