{{ config(materialized='monthly') }}

with watermark as (
    select * from {{ ref('int_core__watermark') }}
),

periods as (
    select dim_period.period_month, dim_period.has_tickets, dim_period.has_interactions
    from {{ rows_of('dim_period') }} as dim_period
    cross join watermark
    where dim_period.start_date <= watermark.as_of_date
),

-- Which part of the cost moves with volume is known only where every line says how it behaves.
cost_months as (
    select
        period_month,
        bool_or(cost_amount is null) as is_fx_missing,
        bool_or(is_provisional) as is_provisional,
        bool_or(cost_behaviour is null) as is_unqualified
    from {{ rows_of('fct_cost_line') }} as lines
    where is_roi_basis
    group by period_month
),

variable_lines as (
    select cost_line_number from {{ ref('int_cost__line_placed') }} where cost_behaviour = 'variable'
),

{% for part in ['object', 'unit'] -%}
{{ part }}_cost as (
    select
        allocated.{{ part }}_number, sum(allocated.cost_minor) as cost_minor,
        sum(case when variable_lines.cost_line_number is not null then allocated.cost_minor else 0 end) as marginal_minor
    from {{ rows_of('int_cost__' ~ part ~ '_allocated') }} as allocated
    left join variable_lines on allocated.cost_line_number = variable_lines.cost_line_number
    group by allocated.{{ part }}_number
),

{% endfor -%}
objects as (
    select * from {{ rows_of('int_cost__object_weighted') }} as objects
    where account_id <> 'NON_CUSTOMER'
),

ticket_work as (
    select
        objects.period_month, objects.channel, objects.department_id, tickets.issue_family, object_cost.cost_minor, object_cost.marginal_minor,
        case when objects.driver = 'handle_seconds' then objects.driver_count end as handle_seconds
    from objects
    inner join {{ ref('fct_ticket') }} as tickets on objects.object_key = tickets.ticket_key
    left join object_cost on objects.object_number = object_cost.object_number
    where objects.object_kind = 'ticket'
),

-- A contact costs where its ticket is worked on, and counts in its own queue.
contacts as (
    select
        units.period_month, units.channel, objects.department_id, interactions.queue, unit_cost.cost_minor, unit_cost.marginal_minor,
        case when units.driver = 'handle_seconds' then units.driver_count end as handle_seconds
    from {{ rows_of('int_cost__unit_weighted') }} as units
    inner join objects on units.object_number = objects.object_number
    inner join {{ rows_of('fct_interaction') }} as interactions on units.unit_key = interactions.interaction_key
    left join unit_cost on units.unit_number = unit_cost.unit_number
    where units.unit_kind = 'interaction'
),

-- What it cost, and how often it happened. A ticket that was closed nobody says when is a number that is not known.
measures as (
    select 'ticket_closed' as unit_kind, period_month, channel, department_id, cast(null as string) as queue, issue_family, cost_minor, marginal_minor, handle_seconds, 0 as volume_count from ticket_work
    union all
    select 'ticket_created', period_month, channel, department_id, null, issue_family, cost_minor, marginal_minor, handle_seconds, 0 from ticket_work
    union all
    select 'ticket_closed', solved_period_month, channel, department_id, null, issue_family, 0, 0, 0, 1 from {{ rows_of('fct_ticket', 'solved_period_month') }} as tickets where is_counted and solved_period_month is not null
    union all
    select 'ticket_closed', period_month, channel, department_id, null, issue_family, 0, 0, 0, null
    from {{ rows_of('fct_ticket') }} as tickets
    where is_counted and ticket_state in ('solved', 'closed') and solved_at is null
    union all
    select 'ticket_created', period_month, channel, department_id, null, issue_family, 0, 0, 0, 1 from {{ rows_of('fct_ticket') }} as tickets where is_counted
    union all
    select 'interaction', period_month, channel, department_id, queue, null, cost_minor, marginal_minor, handle_seconds, 1 from contacts
    union all
    select 'call', period_month, channel, department_id, queue, null, cost_minor, marginal_minor, handle_seconds, 1 from contacts where channel = 'phone'
),

-- The total of each kind, also of a month in which nothing happened.
with_totals as (
    select * from measures
    union all
    select unit_kind, period_month, 'all', null, null, null, cost_minor, marginal_minor, handle_seconds, volume_count from measures
    union all
    select unit_kinds.unit_kind, periods.period_month, 'all', null, null, null, 0, 0, 0, 0
    from periods
    cross join (select 'ticket_closed' as unit_kind union all select 'ticket_created' union all select 'interaction' union all select 'call') as unit_kinds
),

summed as (
    select
        unit_kind, period_month, channel, department_id, queue, issue_family,
        cast(coalesce(sum(cost_minor), 0) as bigint) as cost_minor,
        cast(coalesce(sum(marginal_minor), 0) as bigint) as marginal_minor,
        case when count(handle_seconds) = count(*) then cast(sum(handle_seconds) as bigint) end as handle_seconds,
        case when sum(volume_count) > 0 or count(volume_count) = count(*) then cast(sum(volume_count) as bigint) end as volume_count
    from with_totals
    group by unit_kind, period_month, channel, department_id, queue, issue_family
),

placed as (
    select summed.*, case when summed.unit_kind in ('call', 'interaction') then periods.has_interactions else periods.has_tickets end as has_units
    from summed
    inner join periods on summed.period_month = periods.period_month
),

mart_unit_cost_detail as (
    select
        placed.period_month,
        placed.unit_kind,
        placed.channel,
        placed.department_id,
        placed.queue,
        placed.issue_family,
        watermark.reporting_currency_code as currency_code,
        case when not cost_months.is_fx_missing then {{ amount_of('placed.cost_minor', 'watermark.currency_decimals') }} end as cost_amount,
        case when not cost_months.is_fx_missing and not cost_months.is_unqualified then {{ amount_of('placed.marginal_minor', 'watermark.currency_decimals') }} end as marginal_cost_amount,
        case when placed.has_units then placed.volume_count end as volume_count,
        case when placed.has_units then placed.handle_seconds end as handle_seconds,
        coalesce(cost_months.is_provisional, false) as is_provisional,
        case when cost_months.period_month is null then 'source_absent' when cost_months.is_fx_missing then 'fx_missing' end as cost_null_reason,
        case
            when cost_months.period_month is null then 'source_absent' when cost_months.is_fx_missing then 'fx_missing' when cost_months.is_unqualified then 'not_qualified'
        end as marginal_null_reason,
        case when placed.volume_count is null or not placed.has_units then 'source_absent' end as volume_null_reason,
        case when not placed.has_units then 'source_absent' when placed.handle_seconds is null then 'not_measured' end as handle_null_reason
    from placed
    cross join watermark
    left join cost_months on placed.period_month = cost_months.period_month
)

select * from mart_unit_cost_detail
