-- One row a ticket. HubSpot closes where others solve; the history of the pipeline stage gives the first and the last closing and every step back to a
-- stage that is not closed, the ticket itself the last closing only. Of several companies or contacts the smallest number counts, so that the result never depends on order.
with companies as (
    select ticket_id, min_by(company_id, (try_cast(company_id as hugeint), company_id)) as company_id
    from ticket_company
    group by ticket_id
),

customers as (
    select ticket_id, min_by(contact_id, (try_cast(contact_id as hugeint), contact_id)) as contact_id
    from ticket_contact
    group by ticket_id
),

steps as (
    select
        moves.ticket_id,
        moves.timestamp_instant,
        coalesce(stage.ticket_state = 'CLOSED' or lower(stage.is_closed) = 'true', false) as is_done
    from ticket_property_history as moves
    left join ticket_pipeline_stage as stage on moves.value = stage.stage_id
    where moves.name = 'hs_pipeline_stage'
),

turns as (
    select
        ticket_id,
        try_cast(timestamp_instant as timestamp) as moved_at,
        is_done,
        coalesce(lag(is_done) over (partition by ticket_id order by try_cast(timestamp_instant as timestamp), timestamp_instant), false) as was_done
    from steps
),

moments as (
    select
        ticket_id,
        min(moved_at) filter (where is_done and not was_done) as first_closed_at,
        max(moved_at) filter (where is_done and not was_done) as last_closed_at,
        count(*) filter (where was_done and not is_done) as reopen_count
    from turns
    group by ticket_id
),

teams as (
    select owner_id, min(team_id) as team_id
    from owner_team
    where lower(is_team_primary) = 'true'
    group by owner_id
)

select
    source.record_number,
    source.id as ticket_id,
    source.id as ticket_number,
    coalesce(companies.company_id, contact.property_associatedcompanyid, customers.contact_id) as account_id,
    customers.contact_id,
    source.property_createdate as created_at,
    coalesce(moments.first_closed_at, try_cast(source.property_closed_date as timestamp)) as first_solved_at,
    coalesce(try_cast(source.property_closed_date as timestamp), moments.last_closed_at) as last_solved_at,
    source.property_closed_date as closed_at,
    case
        when lower(source.is_deleted) = 'true' then 'deleted'
        when stage.ticket_state = 'CLOSED' or lower(stage.is_closed) = 'true' then 'closed'
        when stage.stage_id is null and source.property_closed_date is not null then 'closed'
        else 'open'
    end as ticket_state,
    case source.property_source_type
        when 'EMAIL' then 'email'
        when 'FORM' then 'web_form'
        when 'PHONE' then 'phone'
        when 'CHAT' then 'chat'
        else 'other'
    end as channel,
    case lower(source.property_hs_ticket_priority) when 'medium' then 'normal' else lower(source.property_hs_ticket_priority) end as priority,
    case source.property_hs_ticket_category
        when 'PRODUCT_ISSUE' then 'problem'
        when 'BILLING_ISSUE' then 'problem'
        when 'FEATURE_REQUEST' then 'request'
        when 'GENERAL_INQUIRY' then 'question'
    end as ticket_type,
    source.property_hs_ticket_category as issue_code,
    coalesce(team.name, source.property_hubspot_team_id, teams.team_id) as department_id,
    coalesce(source.property_hubspot_team_id, teams.team_id) as group_id,
    source.property_hubspot_owner_id as assignee_id,
    coalesce(source.property_hs_ticket_category in ('PRODUCT_ISSUE', 'BILLING_ISSUE'), false) as is_problem_report,
    case when source.property_hs_resolution is not null then left(source.property_hs_resolution, 80) end as resolution_code,
    moments.reopen_count,
    coalesce(source.property_hs_lastmodifieddate, source.property_closed_date, source.property_createdate) as source_updated_at,
    lower(source.is_deleted) = 'true' as is_deleted
from source
left join companies on source.id = companies.ticket_id
left join customers on source.id = customers.ticket_id
left join contact on customers.contact_id = contact.id
left join moments on source.id = moments.ticket_id
left join ticket_pipeline_stage as stage on source.property_hs_pipeline_stage = stage.stage_id
left join teams on source.property_hubspot_owner_id = teams.owner_id
left join team on coalesce(source.property_hubspot_team_id, teams.team_id) = team.id
