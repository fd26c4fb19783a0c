-- One row a call. The interface writes instants as ISO text or as seconds since 1970.
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

calls as (
    select
        *,
        coalesce(to_timestamp(try_cast(initiated_at as bigint)), try_cast(initiated_at as timestamptz)) as began_at,
        coalesce(to_timestamp(try_cast(answered_at as bigint)), try_cast(answered_at as timestamptz)) as taken_at,
        coalesce(to_timestamp(try_cast(ended_at as bigint)), try_cast(ended_at as timestamptz)) as over_at,
        coalesce(to_timestamp(try_cast(updated_at as bigint)), try_cast(updated_at as timestamptz)) as changed_at,
        coalesce(direction = 'outbound', false) as is_outbound
    from source
)

select
    calls.record_number,
    'call_' || calls.id as interaction_id,
    calls.conversation_id as ticket_id,
    coalesce(companies.account_id, customer.external_id, customer.id) as account_id,
    coalesce(customer.external_id, calls.contact_id) as contact_id,
    'phone' as channel,
    case when calls.is_outbound then 'out' else 'in' end as direction,
    coalesce(team.name, teams.team_id) as queue,
    calls.began_at as started_at,
    calls.taken_at as answered_at,
    calls.over_at as ended_at,
    case when calls.taken_at is not null then 'answered' when calls.is_outbound then 'not_answered' else 'abandoned_queue' end as outcome,
    case when not calls.is_outbound then date_diff('second', calls.began_at, coalesce(calls.taken_at, calls.over_at)) end as queue_seconds,
    date_diff('second', calls.taken_at, calls.over_at) as talk_seconds,
    calls.admin_id as agent_id,
    coalesce(team.name, teams.team_id) as department_id,
    calls.changed_at as source_updated_at
from calls
left join companies on calls.contact_id = companies.contact_id
left join contact_history as customer on calls.contact_id = customer.id
left join teams on calls.admin_id = teams.admin_id
left join team on teams.team_id = team.id
