-- One row a ticket. Moments come from the field history: a ticket is solved when its state becomes solved, or closed without having been solved before;
-- it is reopened when it steps from solved or closed to a state that is neither. A count of Zendesk's own (reopens) wins, since it covers steps that
-- were never delivered. A merged ticket has the tag of a merge or the comment that Zendesk writes into it, which names the surviving ticket. What Zendesk has
-- no column for comes from tags: spam, complaint, problem_report, issue_, order_, product_, type_, escalation_.
with tags as (
    select
        ticket_id,
        array_to_string(list_sort(list_distinct(list(tag))), ',') as tags,
        bool_or(tag = 'spam') as is_spam,
        bool_or(tag = 'closed_by_merge') as is_merged,
        bool_or(tag = 'complaint') as is_complaint,
        bool_or(tag = 'problem_report') as is_problem_report,
        max(substr(tag, 6)) filter (where tag in ('type_complaint', 'type_request', 'type_feedback')) as kind,
        max(substr(tag, 7)) filter (where tag like 'issue\_%' escape '\') as issue,
        max(substr(tag, 7)) filter (where tag like 'order\_%' escape '\') as order_id,
        max(substr(tag, 9)) filter (where tag like 'product\_%' escape '\') as product_id,
        max(substr(tag, 12)) filter (where regexp_full_match(tag, 'escalation_[0-4]')) as escalation
    from ticket_tag
    group by ticket_id
),

steps as (
    select
        ticket_id,
        value,
        try_cast(updated as timestamp) as changed_at,
        value in ('solved', 'closed') as is_done,
        coalesce(lag(value) over (partition by ticket_id order by try_cast(updated as timestamp), updated) in ('solved', 'closed'), false) as was_done
    from ticket_field_history
    where field_name = 'status' and value <> 'deleted'
),

moments as (
    select
        ticket_id,
        min(changed_at) filter (where value = 'solved' or (value = 'closed' and not was_done)) as first_solved_at,
        max(changed_at) filter (where value = 'solved' or (value = 'closed' and not was_done)) as last_solved_at,
        max(changed_at) filter (where value = 'closed') as closed_at,
        count(*) filter (where was_done and not is_done) as reopen_count
    from steps
    group by ticket_id
),

history as (
    select
        ticket_id,
        arg_max(value, try_cast(updated as timestamp)) filter (where field_name = 'reopens') as reopens,
        arg_max(value, try_cast(updated as timestamp)) filter (where field_name = 'total_time_spent_sec') as seconds_spent,
        arg_max(value, try_cast(updated as timestamp)) filter (where field_name = 'satisfaction_score' and value in ('good', 'bad')) as rating
    from ticket_field_history
    where field_name in ('reopens', 'total_time_spent_sec', 'satisfaction_score')
    group by ticket_id
),

merge_notes as (
    select
        ticket_id,
        max_by(regexp_extract(body, 'merged into request #(\d+)', 1), (try_cast(created as timestamp), id)) as surviving_ticket_id,
        bool_or(regexp_matches(body, '^This [A-Za-z ]*closed and merged into request #\d+')) as is_written_by_vendor
    from ticket_comment
    where regexp_matches(body, 'merged into request #\d+')
    group by ticket_id
)

select
    source.record_number,
    source.id as ticket_id,
    source.id as ticket_number,
    coalesce(
        organization.external_id, source.organization_id, requester.organization_id,
        case when requester.role = 'end-user' then coalesce(requester.external_id, requester.id) end
    ) as account_id,
    coalesce(requester.external_id, source.requester_id) as contact_id,
    source.created_at,
    moments.first_solved_at,
    moments.last_solved_at,
    moments.closed_at,
    case
        when source.status = 'deleted' then 'deleted'
        when tags.is_spam then 'spam'
        when tags.is_merged or (source.status = 'closed' and merge_notes.is_written_by_vendor) then 'merged'
        when source.status in ('hold', 'on-hold') then 'on_hold'
        else source.status
    end as ticket_state,
    case when tags.is_merged or (source.status = 'closed' and merge_notes.is_written_by_vendor) then merge_notes.surviving_ticket_id end as merged_into_ticket_id,
    source.via_followup_source_id as follow_up_of_ticket_id,
    case
        when source.via_channel in ('email', 'chat', 'sms') then source.via_channel
        when source.via_channel in ('voice', 'phone') then 'phone'
        when source.via_channel in ('web', 'web_form', 'web_widget') then 'web_form'
        when source.via_channel in ('help_center', 'helpcenter') then 'portal'
        when source.via_channel in ('mobile', 'mobile_sdk') then 'app'
        when source.via_channel in ('native_messaging', 'messaging', 'whatsapp', 'line', 'telegram', 'apple_business_chat') then 'messaging'
        when regexp_matches(source.via_channel, '^(facebook|twitter|instagram|any_channel|x_)') then 'social'
        else 'other'
    end as channel,
    source.priority,
    coalesce(tags.kind, source.type) as ticket_type,
    tags.issue as issue_code,
    tags.product_id,
    tags.order_id,
    coalesce("group".name, source.group_id) as department_id,
    source.group_id,
    coalesce(assignee.external_id, source.assignee_id) as assignee_id,
    case when submitter.role in ('agent', 'admin') then 'agent' when submitter.id is not null then 'customer' end as submitter_role,
    tags.escalation as escalation_level,
    coalesce(tags.is_complaint or tags.kind = 'complaint', false) as is_complaint,
    coalesce(tags.is_problem_report, false) as is_problem_report,
    coalesce(try_cast(history.reopens as bigint), moments.reopen_count) as reopen_count,
    case history.rating when 'good' then 1 when 'bad' then 0 end as csat_latest_score,
    history.seconds_spent as handle_seconds,
    history.seconds_spent is not null as is_handle_time_total,
    tags.tags,
    source.updated_at as source_updated_at,
    source.status = 'deleted' as is_deleted
from source
left join tags on source.id = tags.ticket_id
left join moments on source.id = moments.ticket_id
left join history on source.id = history.ticket_id
left join merge_notes on source.id = merge_notes.ticket_id
left join user as requester on source.requester_id = requester.id
left join user as assignee on source.assignee_id = assignee.id
left join user as submitter on source.submitter_id = submitter.id
left join organization on coalesce(source.organization_id, requester.organization_id) = organization.id
left join "group" on source.group_id = "group".id
