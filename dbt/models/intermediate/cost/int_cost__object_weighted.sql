{{ config(materialized='monthly') }}

with units as (
    select * from {{ rows_of('int_cost__work_unit_timed') }} as units
),

tickets as (
    select * from {{ ref('int_service__ticket_placed') }}
),

worked_tickets as (
    select
        period_month,
        ticket_key,
        cast(sum(driver_count) as bigint) as driver_count,
        count(case when unit_kind = 'interaction' and channel = 'phone' then 1 end) as call_count,
        max(driver) as driver,
        count(*) as unit_count,
        -- The weakest source of any of its parts names the whole.
        max(case handle_time_source when 'measured' then 1 when 'reported' then 2 when 'standard' then 3 else 4 end) as source_rank
    from units
    where ticket_key is not null
    group by period_month, ticket_key
),

-- Months with a pool that is shared by sessions or by seats; in others nothing of these is counted.
driven as (
    select distinct period_month, driver from {{ rows_of('int_cost__line_placed') }} as lines where is_roi_basis and driver in ('sessions', 'seats')
),

-- All sessions of self-service of an account in the month are one object: each of them costs the same.
sessions as (
    select
        days.period_month,
        coalesce(accounts.surviving_account_id, resolved.account_id, 'ACCOUNT_UNKNOWN') as account_id,
        count(*) as session_count
    from {{ rows_near('stg_self_service_sessions', 'started_at') }} as own
    cross join {{ ref('int_core__watermark') }} as watermark
    inner join {{ ref('int_core__period_day') }} as days on {{ business_date('own.started_at', 'watermark.company_time_zone') }} = days.day
    inner join driven on days.period_month = driven.period_month and driven.driver = 'sessions'
    left join {{ ref('int_core__account_merged') }} as accounts on own.account_id = accounts.account_id
    left join {{ ref('int_core__account_resolved') }} as resolved on own.contact_id = resolved.contact_id
    where not own.is_deleted
    group by days.period_month, coalesce(accounts.surviving_account_id, resolved.account_id, 'ACCOUNT_UNKNOWN')
),

objects as (
    select
        worked_tickets.period_month, 'ticket' as object_kind, tickets.ticket_id as object_id, worked_tickets.ticket_key as object_key, tickets.ticket_id, worked_tickets.ticket_key,
        tickets.account_id, tickets.department_id, tickets.channel, worked_tickets.driver, worked_tickets.driver_count, worked_tickets.call_count,
        0 as session_count, worked_tickets.unit_count,
        case worked_tickets.source_rank when 1 then 'measured' when 2 then 'reported' when 3 then 'standard' else 'equal' end as handle_time_source
    from worked_tickets
    inner join tickets on worked_tickets.ticket_key = tickets.ticket_key
    union all
    select
        period_month, 'interaction' as object_kind, unit_id as object_id, unit_key as object_key, cast(null as string) as ticket_id, cast(null as string) as ticket_key,
        account_id, department_id, channel, driver, driver_count, case when channel = 'phone' then 1 else 0 end as call_count, 0 as session_count,
        1 as unit_count, handle_time_source
    from units
    where ticket_key is null
    union all
    select
        period_month, 'self_service' as object_kind, account_id as object_id, account_id as object_key, cast(null as string) as ticket_id, cast(null as string) as ticket_key,
        account_id, cast(null as string) as department_id, cast(null as string) as channel,
        'none' as driver, 0 as driver_count, 0 as call_count, session_count, 1 as unit_count, 'none' as handle_time_source
    from sessions
    union all
    select distinct
        period_month, 'unallocated' as object_kind, 'UNALLOCATED' as object_id, 'UNALLOCATED' as object_key, cast(null as string) as ticket_id, cast(null as string) as ticket_key,
        'UNALLOCATED' as account_id, cast(null as string) as department_id, cast(null as string) as channel,
        'none' as driver, 0 as driver_count, 0 as call_count, 0 as session_count, 1 as unit_count, 'none' as handle_time_source
    from {{ rows_of('int_cost__line_placed') }} as lines
    where is_roi_basis
),

-- The number ascends with the object's key inside a month, so that every later sort is one of whole numbers.
numbered as (
    select objects.*, {{ month_base('period_month') }} + cast(row_number() over (partition by period_month order by object_key, object_kind) as bigint) as object_number from objects
),

-- Seats of a department: its agents, who handled a contact of its tickets, or one of its own without a ticket.
seats as (
    select units.period_month, coalesce(tickets.department_id, case when units.ticket_key is null then units.department_id end, '') as department_key, count(distinct units.agent_id) as seat_count
    from units
    inner join driven on units.period_month = driven.period_month and driven.driver = 'seats'
    left join tickets on units.ticket_key = tickets.ticket_key
    where units.agent_id is not null
    group by units.period_month, coalesce(tickets.department_id, case when units.ticket_key is null then units.department_id end, '')
),

-- Place among the objects of equal weight: who gets the odd cent, for shared and for departmental lines.
placed as (
    select
        numbered.*,
        cast(coalesce(seats.seat_count, 0) as bigint) as seat_count,
        cast(row_number() over (partition by numbered.period_month, driver_count order by object_number) as bigint) as month_place,
        cast(row_number() over (partition by numbered.period_month, department_id, driver_count order by object_number) as bigint) as department_place
    from numbered
    left join seats on numbered.period_month = seats.period_month and coalesce(numbered.department_id, '') = seats.department_key and numbered.object_kind in ('ticket', 'interaction')
)

select * from placed
