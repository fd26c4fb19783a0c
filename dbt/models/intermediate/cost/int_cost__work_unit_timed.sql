{{ config(materialized='monthly') }}

with tickets as (
    select * from {{ rows_of('int_service__ticket_placed', 'work_period_month') }} as tickets
),

contact_by_ticket as (
    select surviving_ticket_key, count(*) - count(driver_seconds) as unmeasured_count
    from {{ ref('int_service__interaction_placed') }}
    where is_costed and surviving_ticket_key in (select surviving_ticket_key from tickets)
    group by surviving_ticket_key
),

-- All time that a desk tracked, over a ticket and those merged into it, the earliest work first.
tracked as (
    select
        ticket_key, surviving_ticket_key, driver_seconds,
        cast(sum(driver_seconds) over (partition by surviving_ticket_key order by work_period_month, ticket_key rows unbounded preceding) as bigint) as until_seconds
    from {{ ref('int_service__ticket_placed') }}
    where driver_seconds is not null and is_handle_time_total
),

measured_by_ticket as (
    select surviving_ticket_key, cast(sum(handle_seconds) as bigint) as measured_seconds
    from {{ ref('int_service__interaction_placed') }}
    where is_costed and handle_seconds is not null and surviving_ticket_key in (select surviving_ticket_key from tracked)
    group by surviving_ticket_key
),

-- Time outside measured contacts: what is reported as such, and what was tracked less what was measured, never below 0.
reported_by_ticket as (
    select ticket_key, surviving_ticket_key, driver_seconds as outside_seconds, false as is_measured_already
    from {{ ref('int_service__ticket_placed') }}
    where driver_seconds is not null and not is_handle_time_total
    union all
    select
        tracked.ticket_key, tracked.surviving_ticket_key,
        case
            when tracked.until_seconds <= measured.measured_seconds then 0
            when tracked.until_seconds - measured.measured_seconds < tracked.driver_seconds then tracked.until_seconds - measured.measured_seconds
            else tracked.driver_seconds
        end as outside_seconds,
        coalesce(tracked.until_seconds <= measured.measured_seconds or (tracked.driver_seconds = 0 and measured.measured_seconds is not null), false) as is_measured_already
    from tracked
    left join measured_by_ticket as measured on tracked.surviving_ticket_key = measured.surviving_ticket_key
),

reported as (
    select surviving_ticket_key, cast(sum(outside_seconds) as bigint) as reported_seconds
    from reported_by_ticket
    group by surviving_ticket_key
),

unmeasured as (
    select
        contacts.interaction_key,
        reported.reported_seconds,
        count(*) over (partition by contacts.surviving_ticket_key) as contact_count,
        cast(row_number() over (partition by contacts.surviving_ticket_key order by contacts.interaction_key) as bigint) as contact_place
    from {{ ref('int_service__interaction_placed') }} as contacts
    inner join reported on contacts.surviving_ticket_key = reported.surviving_ticket_key
    where contacts.is_costed and contacts.driver_seconds is null
),

-- Time the ticket reports is the time of its contacts that nobody measured: equal shares, odd seconds to the first.
spread as (
    select
        interaction_key,
        {{ integer_quotient('reported_seconds', 'contact_count') }} + case when contact_place <= reported_seconds % contact_count then 1 else 0 end as share_seconds
    from unmeasured
),

-- Without such a contact it is work on the ticket itself; a ticket without any contact or reported time is one piece of work.
own_work as (
    select
        tickets.work_period_month as period_month,
        tickets.surviving_ticket_key,
        sum(own.outside_seconds) as known_seconds
    from tickets
    left join reported_by_ticket as own on tickets.ticket_key = own.ticket_key
    left join contact_by_ticket on tickets.surviving_ticket_key = contact_by_ticket.surviving_ticket_key
    left join reported on tickets.surviving_ticket_key = reported.surviving_ticket_key
    where
        not tickets.is_surviving_deleted
        and coalesce(contact_by_ticket.unmeasured_count, 0) = 0
        and (
            not own.is_measured_already
            or (
                contact_by_ticket.surviving_ticket_key is null and reported.surviving_ticket_key is null
                and tickets.surviving_ticket_key = tickets.ticket_key
            )
        )
    group by tickets.work_period_month, tickets.surviving_ticket_key
),

units as (
    select
        interactions.period_month, 'interaction' as unit_kind, interactions.interaction_id as unit_id, interactions.interaction_key as unit_key,
        interactions.surviving_ticket_key as ticket_key, interactions.account_id, interactions.department_id, interactions.channel, interactions.agent_id,
        coalesce(interactions.driver_seconds, cast(spread.share_seconds as bigint)) as known_seconds,
        case when interactions.driver_seconds is not null then 'measured' else 'reported' end as known_source
    from {{ rows_of('int_service__interaction_placed') }} as interactions
    left join spread on interactions.interaction_key = spread.interaction_key
    where interactions.is_costed
    union all
    select
        own_work.period_month, 'ticket_work' as unit_kind, tickets.ticket_id as unit_id, tickets.ticket_key as unit_key,
        tickets.ticket_key, tickets.account_id, tickets.department_id, tickets.channel, cast(null as string) as agent_id,
        cast(own_work.known_seconds as bigint) as known_seconds, 'reported' as known_source
    from own_work
    inner join {{ ref('int_service__ticket_placed') }} as tickets on own_work.surviving_ticket_key = tickets.ticket_key
),

-- How long a contact takes is known from measured contacts of customers, never by work on a ticket or by spam.
measured as (
    select * from units where unit_kind = 'interaction' and known_source = 'measured' and account_id <> 'NON_CUSTOMER'
),

channel_means as (
    select period_month, channel, cast(floor(avg(known_seconds)) as bigint) as standard_seconds from measured group by period_month, channel
),

month_means as (
    select period_month, cast(floor(avg(known_seconds)) as bigint) as standard_seconds from measured group by period_month
),

-- A month without a measured contact: what is known of any work, of customers first.
known_means as (
    select
        period_month,
        coalesce(cast(floor(avg(case when account_id <> 'NON_CUSTOMER' then known_seconds end)) as bigint), cast(floor(avg(known_seconds)) as bigint)) as standard_seconds
    from units
    group by period_month
),

timed as (
    select
        units.period_month, units.unit_kind, units.unit_id, units.unit_key, units.ticket_key, units.account_id, units.department_id, units.channel, units.agent_id,
        -- Missing time takes the mean of its channel, else of the month; a month without any time splits equally.
        coalesce(units.known_seconds, channel_means.standard_seconds, month_means.standard_seconds, known_means.standard_seconds, 1) as driver_count,
        case when known_means.standard_seconds is null then 'contacts' else 'handle_seconds' end as driver,
        case
            when units.known_seconds is not null then units.known_source
            when known_means.standard_seconds is not null then 'standard'
            else 'equal'
        end as handle_time_source
    from units
    inner join known_means on units.period_month = known_means.period_month
    left join month_means on units.period_month = month_means.period_month
    left join channel_means on units.period_month = channel_means.period_month and units.channel = channel_means.channel
)

select * from timed
