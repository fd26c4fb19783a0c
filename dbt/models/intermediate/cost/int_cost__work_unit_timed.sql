{{ config(materialized='incremental') }}

with tickets as (
    select * from {{ ref('int_service__ticket_placed') }} as tickets where {{ in_touched_months('tickets.work_period_month') }}
),

contact_by_ticket as (
    select surviving_ticket_id, count(handle_seconds) as measured_count
    from {{ ref('int_service__interaction_placed') }}
    where is_handled and surviving_ticket_id in (select surviving_ticket_id from tickets)
    group by surviving_ticket_id
),

-- Time the ticket itself reports counts where no contact of it was measured; a ticket without any contact is one piece of work.
own_work as (
    select
        tickets.work_period_month as period_month,
        tickets.surviving_ticket_id,
        sum(tickets.handle_seconds) as known_seconds
    from tickets
    left join contact_by_ticket on tickets.surviving_ticket_id = contact_by_ticket.surviving_ticket_id
    where
        coalesce(contact_by_ticket.measured_count, 0) = 0
        and (tickets.handle_seconds is not null or (contact_by_ticket.surviving_ticket_id is null and tickets.surviving_ticket_id = tickets.ticket_id))
    group by tickets.work_period_month, tickets.surviving_ticket_id
),

units as (
    select
        period_month, 'interaction' as unit_kind, interaction_id as unit_id, surviving_ticket_id as ticket_id,
        account_id, department_id, channel, driver_seconds as known_seconds, 'measured' as known_source
    from {{ ref('int_service__interaction_placed') }} as interactions
    where is_handled and {{ in_touched_months('interactions.period_month') }}
    union all
    select
        own_work.period_month, 'ticket_work' as unit_kind, own_work.surviving_ticket_id as unit_id, own_work.surviving_ticket_id as ticket_id,
        tickets.account_id, tickets.department_id, tickets.channel, cast(own_work.known_seconds as bigint) as known_seconds, 'reported' as known_source
    from own_work
    inner join {{ ref('int_service__ticket_placed') }} as tickets on own_work.surviving_ticket_id = tickets.ticket_id
),

channel_means as (
    select period_month, channel, cast(floor(avg(known_seconds)) as bigint) as standard_seconds from units group by period_month, channel
),

month_means as (
    select period_month, cast(floor(avg(known_seconds)) as bigint) as standard_seconds from units group by period_month
),

timed as (
    select
        units.period_month, units.unit_kind, units.unit_id, units.ticket_id, units.account_id, units.department_id, units.channel,
        -- Missing time takes the mean of its channel, else of the month; a month without any time splits equally.
        coalesce(units.known_seconds, channel_means.standard_seconds, month_means.standard_seconds, 1) as driver_count,
        case when month_means.standard_seconds is null then 'contacts' else 'handle_seconds' end as driver,
        case
            when units.known_seconds is not null then units.known_source
            when month_means.standard_seconds is not null then 'standard'
            else 'equal'
        end as handle_time_source
    from units
    inner join month_means on units.period_month = month_means.period_month
    inner join channel_means on units.period_month = channel_means.period_month and units.channel = channel_means.channel
)

select * from timed {{ in_month_order() }}
