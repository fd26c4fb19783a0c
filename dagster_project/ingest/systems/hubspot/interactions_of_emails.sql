-- One row an e-mail. E-mails of sales come along: `purpose` is service where a ticket is linked.
with tickets as (
    select engagement_id, min_by(ticket_id, (try_cast(ticket_id as hugeint), ticket_id)) as ticket_id
    from ticket_engagement
    group by engagement_id
),

customers as (
    select engagement_id, min_by(contact_id, (try_cast(contact_id as hugeint), contact_id)) as contact_id
    from engagement_contact
    group by engagement_id
),

companies as (
    select engagement_id, min_by(company_id, (try_cast(company_id as hugeint), company_id)) as company_id
    from engagement_company
    group by engagement_id
),

teams as (
    select owner_team.owner_id, min(coalesce(team.name, owner_team.team_id)) as team_name
    from owner_team
    left join team on owner_team.team_id = team.id
    where lower(owner_team.is_team_primary) = 'true'
    group by owner_team.owner_id
)

select
    source.record_number,
    'engagement_' || source.engagement_id as interaction_id,
    tickets.ticket_id,
    coalesce(companies.company_id, contact.property_associatedcompanyid, customers.contact_id) as account_id,
    customers.contact_id,
    'email' as channel,
    case when source.property_hs_email_direction = 'INCOMING_EMAIL' then 'in' else 'out' end as direction,
    source.property_hs_timestamp as started_at,
    'answered' as outcome,
    case when tickets.ticket_id is not null then 'service' else 'other' end as purpose,
    teams.team_name as queue,
    source.property_hubspot_owner_id as agent_id,
    teams.team_name as department_id,
    coalesce(source.property_hs_lastmodifieddate, source.property_hs_createdate) as source_updated_at
from source
left join tickets on source.engagement_id = tickets.engagement_id
left join customers on source.engagement_id = customers.engagement_id
left join contact on customers.contact_id = contact.id
left join companies on source.engagement_id = companies.engagement_id
left join teams on source.property_hubspot_owner_id = teams.owner_id
