-- One row a version of a ticket. HubSpot closes where others solve; the history of the pipeline stage gives the first and the last closing, the ticket
-- itself the last one only. Of several companies or contacts the smallest number counts, so that the result never depends on order.
with companies as (
    select ticket_id, min(company_id) as company_id
    from ticket_company
    group by ticket_id
),

customers as (
    select ticket_contact.ticket_id, min(ticket_contact.contact_id) as contact_id
    from ticket_contact
    group by ticket_contact.ticket_id
),

closings as (
    select
        moves.ticket_id,
        min(try_cast(moves.timestamp_instant as timestamp)) as first_closed_at,
        max(try_cast(moves.timestamp_instant as timestamp)) as last_closed_at
    from ticket_property_history as moves
    inner join ticket_pipeline_stage as stage on moves.value = stage.stage_id
    where moves.name = 'hs_pipeline_stage' and (stage.ticket_state = 'CLOSED' or lower(stage.is_closed) = 'true')
    group by moves.ticket_id
),

steps_back as (
    select moves.ticket_id, count(*) as reopen_count
    from ticket_property_history as moves
    inner join ticket_pipeline_stage as stage on moves.value = stage.stage_id
    inner join closings on moves.ticket_id = closings.ticket_id and try_cast(moves.timestamp_instant as timestamp) > closings.first_closed_at
    where moves.name = 'hs_pipeline_stage' and stage.ticket_state = 'OPEN'
    group by moves.ticket_id
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
    coalesce(closings.first_closed_at, try_cast(source.property_closed_date as timestamp)) as first_solved_at,
    coalesce(try_cast(source.property_closed_date as timestamp), closings.last_closed_at) as last_solved_at,
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
    steps_back.reopen_count,
    coalesce(source.property_hs_lastmodifieddate, source.property_closed_date, source.property_createdate) as source_updated_at,
    lower(source.is_deleted) = 'true' as is_deleted
from source
left join companies on source.id = companies.ticket_id
left join customers on source.id = customers.ticket_id
left join contact on customers.contact_id = contact.id
left join closings on source.id = closings.ticket_id
left join steps_back on source.id = steps_back.ticket_id
left join ticket_pipeline_stage as stage on source.property_hs_pipeline_stage = stage.stage_id
left join teams on source.property_hubspot_owner_id = teams.owner_id
left join team on coalesce(source.property_hubspot_team_id, teams.team_id) = team.id
