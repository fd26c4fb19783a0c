-- Each customer's contacts about one issue family in order, with the time since the latest end of those before. Windows are no matter here:
-- a chain of window N begins where that time is longer than N days. A contact whose customer is unknown is in no chain.
with events as (
    select *, customer_key || '|' || coalesce(issue_family, '') as matter_key
    from {{ ref('int_service__issue_contact') }}
    where customer_key is not null and (is_contact or not is_try)
),

ordered as (
    select
        events.*,
        cast(sum(case when is_contact then 1 else 0 end) over (
            partition by matter_key order by started_at, case when is_contact then 0 else 1 end, contact_key rows between unbounded preceding and current row
        ) as bigint) as contact_number
    from events
),

-- Work between two contacts belongs to the one before; work before any contact is not part of a chain.
costs as (
    select
        matter_key, contact_number,
        case when count(cost_minor) = count(*) then cast(sum(cost_minor) as bigint) end as cost_minor,
        min(cost_null_reason) as cost_null_reason,
        bool_or(is_provisional) as is_provisional
    from ordered
    group by matter_key, contact_number
),

contacts as (
    select
        ordered.matter_key, ordered.contact_number, ordered.customer_key, ordered.contact_key, ordered.account_id, ordered.contact_id, ordered.issue_family,
        ordered.interaction_id, ordered.ticket_key, ordered.channel, ordered.department_id, ordered.is_between_departments, ordered.is_solved, ordered.is_reopened,
        ordered.started_at, ordered.ended_at, ordered.started_date, ordered.period_month,
        max(ordered.ended_date) over (partition by ordered.matter_key order by ordered.contact_number rows between unbounded preceding and current row) as until_date,
        max(ordered.ended_at) over (partition by ordered.matter_key order by ordered.contact_number rows between unbounded preceding and current row) as until_at,
        {{ latest_known('ordered.department_id', 'ordered.matter_key', 'ordered.contact_number') }} as known_department_id
    from ordered
    where ordered.is_contact
),

spaced as (
    select
        contacts.*,
        {{ elapsed_seconds('lag(contacts.until_at) over (partition by contacts.matter_key order by contacts.contact_number)', 'contacts.started_at') }} as since_seconds,
        -- A contact that names no department is of no other one.
        coalesce(contacts.department_id <> lag(contacts.known_department_id) over (partition by contacts.matter_key order by contacts.contact_number), false) as is_other_department
    from contacts
)

select
    spaced.matter_key, spaced.contact_number, spaced.customer_key, spaced.contact_key, spaced.account_id, spaced.contact_id, spaced.issue_family,
    spaced.interaction_id, spaced.ticket_key, spaced.channel, spaced.department_id, spaced.is_between_departments, spaced.is_other_department,
    spaced.is_solved, spaced.is_reopened, spaced.started_at, spaced.ended_at, spaced.started_date, spaced.period_month, spaced.until_date, spaced.until_at,
    case when spaced.since_seconds < 0 then 0 else spaced.since_seconds end as gap_seconds,
    costs.cost_minor, costs.cost_null_reason, costs.is_provisional
from spaced
inner join costs on spaced.matter_key = costs.matter_key and spaced.contact_number = costs.contact_number
