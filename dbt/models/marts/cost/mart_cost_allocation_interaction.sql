{# A view, in the published copy too, like mart_cost_allocation_ticket. #}
{{ config(materialized='view') }}

with mart_cost_allocation_interaction as (
    select
        allocated.period_month,
        lines.cost_line_id,
        units.unit_kind as object_kind,
        units.unit_key as object_key,
        units.unit_id as object_id,
        case when units.unit_kind = 'interaction' then units.unit_key end as interaction_key,
        case when units.unit_kind = 'interaction' then units.unit_id end as interaction_id,
        objects.ticket_key,
        objects.ticket_id,
        objects.account_id,
        objects.department_id,
        units.channel,
        lines.cost_category,
        case when objects.object_kind = 'unallocated' or lines.driver = 'time' then units.driver else lines.driver end as driver,
        cast(
            case lines.driver
                when 'calls' then case when units.unit_kind = 'interaction' and units.channel = 'phone' then 1 else 0 end
                when 'sessions' then objects.session_count
                else units.driver_count
            end as bigint
        ) as driver_count,
        case when lines.driver in ('calls', 'sessions') then 'none' else units.handle_time_source end as handle_time_source,
        {{ amount_of('allocated.cost_minor', 'lines.currency_decimals') }} as cost_amount,
        lines.currency_code
    from {{ local_ref('int_cost__unit_allocated') }} as allocated
    inner join {{ local_ref('int_cost__unit_weighted') }} as units on allocated.period_month = units.period_month and allocated.unit_number = units.unit_number
    inner join {{ local_ref('int_cost__object_weighted') }} as objects on units.period_month = objects.period_month and units.object_number = objects.object_number
    inner join {{ local_ref('int_cost__line_placed') }} as lines on allocated.period_month = lines.period_month and allocated.cost_line_number = lines.cost_line_number
)

select * from mart_cost_allocation_interaction
