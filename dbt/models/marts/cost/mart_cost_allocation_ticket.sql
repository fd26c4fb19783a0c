{# A view, in the published copy too: narrow numbers joined to names. Written out its rows would be the largest table by far. #}
{{ config(materialized='view') }}

with mart_cost_allocation_ticket as (
    select
        allocated.period_month,
        lines.cost_line_id,
        objects.object_kind,
        objects.object_key,
        objects.object_id,
        objects.ticket_key,
        objects.ticket_id,
        objects.account_id,
        objects.department_id,
        objects.channel,
        lines.cost_category,
        case when objects.object_kind = 'unallocated' or lines.driver = 'time' then objects.driver else lines.driver end as driver,
        cast(case lines.driver when 'calls' then objects.call_count when 'sessions' then objects.session_count else objects.driver_count end as bigint) as driver_count,
        case when lines.driver in ('calls', 'sessions') then 'none' else objects.handle_time_source end as handle_time_source,
        {{ amount_of('allocated.cost_minor', 'lines.currency_decimals') }} as cost_amount,
        lines.currency_code
    from {{ local_ref('int_cost__object_allocated') }} as allocated
    inner join {{ local_ref('int_cost__object_weighted') }} as objects on allocated.period_month = objects.period_month and allocated.object_number = objects.object_number
    inner join {{ local_ref('int_cost__line_placed') }} as lines on allocated.period_month = lines.period_month and allocated.cost_line_number = lines.cost_line_number
)

select * from mart_cost_allocation_ticket
