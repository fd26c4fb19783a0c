{{ config(materialized='monthly') }}

with units as (
    select * from {{ rows_of('int_cost__work_unit_timed') }} as units
),

objects as (
    select * from {{ rows_of('int_cost__object_weighted') }} as objects
),

of_tickets as (
    select
        objects.period_month, objects.object_number, units.unit_kind, units.unit_id, units.unit_key, units.channel, units.driver, units.driver_count, units.handle_time_source,
        objects.unit_count, objects.driver_count as object_driver_count
    from units
    inner join objects on units.period_month = objects.period_month and units.ticket_key = objects.object_key and objects.object_kind = 'ticket'
),

of_themselves as (
    select
        period_month, object_number, object_kind as unit_kind, object_id as unit_id, object_key as unit_key, channel, driver, driver_count, handle_time_source,
        1 as unit_count, driver_count as object_driver_count
    from objects
    where object_kind <> 'ticket'
),

numbered as (
    select units.*, {{ month_base('period_month') }} + cast(row_number() over (partition by period_month order by object_number, unit_kind, unit_key) as bigint) as unit_number
    from (
        select * from of_tickets
        union all
        select * from of_themselves
    ) as units
),

-- Order of the odd cents inside one ticket: the larger weight first, then the id.
placed as (
    select
        numbered.*,
        cast(case when unit_count = 1 then 1 else row_number() over (partition by object_number order by driver_count desc, unit_number) end as bigint) as unit_place
    from numbered
)

select * from placed
