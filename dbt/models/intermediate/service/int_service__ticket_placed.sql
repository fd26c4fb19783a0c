{{ config(materialized='monthly') }}

with recursive watermark as (
    select * from {{ ref('int_core__watermark') }}
),

known as (
    select
        tickets.ticket_id, {{ key_of('tickets', 'ticket_id') }} as ticket_key, tickets.is_id_shared,
        tickets.is_deleted or tickets.ticket_state = 'deleted' as is_deleted, tickets.ticket_state = 'spam' as is_spam
    from {{ ref('stg_tickets') }} as tickets
),

-- What tickets say of themselves: also one that is not in the state `merged` may name a surviving ticket.
named as (
    select {{ key_of('tickets', 'ticket_id') }} as ticket_key, {{ of_named('target', 'ticket_key') }} as merged_into_ticket_key, tickets.ticket_state
    from {{ ref('stg_tickets') }} as tickets
    {{ left_join_named('known', 'target', 'ticket_key', 'tickets', 'merged_into_ticket_id') }}
    where tickets.merged_into_ticket_id is not null
),

merges as (
    select ticket_key, merged_into_ticket_key from named where ticket_state = 'merged'
),

-- Walked from the surviving ones down, so a merge cycle is never entered: its tickets stay themselves.
surviving as (
    select
        merges.ticket_key, tickets.ticket_key as surviving_ticket_key, tickets.ticket_id as surviving_ticket_id,
        tickets.is_deleted as is_surviving_deleted, tickets.is_spam as is_surviving_spam
    from merges
    inner join known as tickets on merges.merged_into_ticket_key = tickets.ticket_key
    where not exists (select 1 from merges as further where further.ticket_key = tickets.ticket_key)
    union all
    select merges.ticket_key, surviving.surviving_ticket_key, surviving.surviving_ticket_id, surviving.is_surviving_deleted, surviving.is_surviving_spam
    from merges
    inner join surviving on merges.merged_into_ticket_key = surviving.ticket_key
),

-- The same walk over all that is said, to find who names a circle or nobody.
ending as (
    select named.ticket_key
    from named
    inner join known as tickets on named.merged_into_ticket_key = tickets.ticket_key
    where not exists (select 1 from named as further where further.ticket_key = tickets.ticket_key)
    union all
    select named.ticket_key
    from named
    inner join ending on named.merged_into_ticket_key = ending.ticket_key
),

-- Dates before any other join: as long as the zone is one constant, a conversion costs a thirtieth.
dated as (
    select
        tickets.*,
        watermark.handle_limit_seconds,
        {{ key_of('tickets', 'ticket_id') }} as ticket_key,
        case when tickets.ticket_state in ('solved', 'closed') then coalesce(tickets.last_solved_at, tickets.closed_at) end as solved_at,
        {{ business_date('tickets.created_at', 'watermark.company_time_zone') }} as created_date,
        {{ business_date('coalesce(tickets.last_solved_at, tickets.closed_at, tickets.created_at)', 'watermark.company_time_zone') }} as work_date,
        {{ business_date("case when tickets.ticket_state in ('solved', 'closed') then coalesce(tickets.last_solved_at, tickets.closed_at) end", 'watermark.company_time_zone') }} as solved_date
    from {{ rows_near('stg_tickets', 'created_at') }} as tickets
    cross join watermark
),

placed as (
    select
        dated.ticket_key,
        dated.ticket_id,
        dated.is_id_shared,
        coalesce(surviving.surviving_ticket_key, dated.ticket_key) as surviving_ticket_key,
        coalesce(surviving.surviving_ticket_id, dated.ticket_id) as surviving_ticket_id,
        case
            when coalesce(surviving.is_surviving_spam, dated.ticket_state = 'spam') then 'NON_CUSTOMER'
            else coalesce(accounts.surviving_account_id, resolved.account_id, 'ACCOUNT_UNKNOWN')
        end as account_id,
        dated.channel,
        dated.department_id,
        dated.ticket_state,
        dated.is_deleted or dated.ticket_state = 'deleted' as is_deleted,
        -- Work on it and its contacts draw no cost: what it would have drawn goes to the others.
        coalesce(surviving.is_surviving_deleted, dated.is_deleted or dated.ticket_state = 'deleted') as is_surviving_deleted,
        named.ticket_key is not null and case when dated.ticket_state = 'merged' then surviving.ticket_key is null else ending.ticket_key is null end as is_merge_broken,
        -- As for a contact left open: more than a working week of shifts was not worked on one ticket.
        case when dated.handle_seconds > 5 * dated.handle_limit_seconds then 5 * dated.handle_limit_seconds else dated.handle_seconds end as driver_seconds,
        coalesce(dated.is_handle_time_total, false) as is_handle_time_total,
        coalesce(dated.handle_seconds > 5 * dated.handle_limit_seconds, false) as is_handle_time_limited,
        dated.created_date,
        created_day.period_month,
        dated.solved_date,
        solved_day.period_month as solved_period_month,
        work_day.period_month as work_period_month,
        dated.solved_at
    from dated
    inner join {{ ref('int_core__period_day') }} as created_day on dated.created_date = created_day.day
    inner join {{ ref('int_core__period_day') }} as work_day on dated.work_date = work_day.day
    left join {{ ref('int_core__period_day') }} as solved_day on dated.solved_date = solved_day.day
    left join surviving on dated.ticket_key = surviving.ticket_key
    left join named on dated.ticket_key = named.ticket_key
    left join ending on dated.ticket_key = ending.ticket_key
    left join {{ ref('int_core__account_merged') }} as accounts on dated.account_id = accounts.account_id
    left join {{ ref('int_core__account_resolved') }} as resolved on dated.contact_id = resolved.contact_id
)

select * from placed
