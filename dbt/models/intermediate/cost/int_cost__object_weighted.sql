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
        max(driver) as driver,
        count(*) as unit_count,
        -- The weakest source of any of its parts names the whole.
        max(case handle_time_source when 'measured' then 1 when 'reported' then 2 when 'standard' then 3 else 4 end) as source_rank
    from units
    where ticket_key is not null
    group by period_month, ticket_key
),

objects as (
    select
        worked_tickets.period_month, 'ticket' as object_kind, tickets.ticket_id as object_id, worked_tickets.ticket_key as object_key, tickets.ticket_id, worked_tickets.ticket_key,
        tickets.account_id, tickets.department_id, tickets.channel, worked_tickets.driver, worked_tickets.driver_count, worked_tickets.unit_count,
        case worked_tickets.source_rank when 1 then 'measured' when 2 then 'reported' when 3 then 'standard' else 'equal' end as handle_time_source
    from worked_tickets
    inner join tickets on worked_tickets.ticket_key = tickets.ticket_key
    union all
    select
        period_month, 'interaction' as object_kind, unit_id as object_id, unit_key as object_key, cast(null as string) as ticket_id, cast(null as string) as ticket_key,
        account_id, department_id, channel, driver, driver_count, 1 as unit_count, handle_time_source
    from units
    where ticket_key is null
    union all
    select distinct
        period_month, 'unallocated' as object_kind, 'UNALLOCATED' as object_id, 'UNALLOCATED' as object_key, cast(null as string) as ticket_id, cast(null as string) as ticket_key,
        'UNALLOCATED' as account_id, cast(null as string) as department_id, cast(null as string) as channel,
        'none' as driver, 0 as driver_count, 1 as unit_count, 'none' as handle_time_source
    from {{ rows_of('int_cost__line_placed') }} as lines
    where is_roi_basis
),

-- The number ascends with the object's key inside a month, so that every later sort is one of whole numbers.
numbered as (
    select objects.*, {{ month_base('period_month') }} + cast(row_number() over (partition by period_month order by object_key, object_kind) as bigint) as object_number from objects
),

-- Place among the objects of equal weight: who gets the odd cent, for shared and for departmental lines.
placed as (
    select
        numbered.*,
        cast(row_number() over (partition by period_month, driver_count order by object_number) as bigint) as month_place,
        cast(row_number() over (partition by period_month, department_id, driver_count order by object_number) as bigint) as department_place
    from numbered
)

select * from placed
