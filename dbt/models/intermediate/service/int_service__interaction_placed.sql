{{ config(materialized='monthly') }}

with interactions as (
    select
        interactions.*,
        {{ key_of('interactions', 'interaction_id') }} as interaction_key,
        {{ business_date('interactions.started_at', 'watermark.company_time_zone') }} as started_date,
        watermark.handle_limit_seconds,
        -- Shared attention costs its share: two chats at once take half the time each.
        case
            when coalesce(interactions.talk_seconds, interactions.hold_seconds, interactions.wrap_seconds) is not null
                then cast(floor(
                    (coalesce(interactions.talk_seconds, 0) + coalesce(interactions.hold_seconds, 0) + coalesce(interactions.wrap_seconds, 0))
                    / coalesce(nullif(interactions.concurrency, 0), 1)
                ) as bigint)
        end as handle_seconds
    from {{ rows_near('stg_interactions', 'started_at') }} as interactions
    cross join {{ ref('int_core__watermark') }} as watermark
),

placed as (
    select
        interactions.interaction_key,
        interactions.interaction_id,
        interactions.is_id_shared,
        {{ of_named('tickets', 'ticket_key') }} as ticket_key,
        {{ of_named('tickets', 'surviving_ticket_key') }} as surviving_ticket_key,
        {{ of_named('tickets', 'surviving_ticket_id') }} as surviving_ticket_id,
        case
            when {{ of_named('tickets', 'account_id') }} = 'NON_CUSTOMER' then 'NON_CUSTOMER'
            else coalesce(accounts.surviving_account_id, resolved.account_id, {{ of_named('tickets', 'account_id') }}, 'ACCOUNT_UNKNOWN')
        end as account_id,
        interactions.channel,
        interactions.department_id,
        not interactions.is_deleted and (interactions.outcome = 'answered' or coalesce(interactions.talk_seconds, 0) > 0) as is_handled,
        not interactions.is_deleted and (interactions.outcome = 'answered' or coalesce(interactions.talk_seconds, 0) > 0)
        and {{ of_named('tickets', 'is_surviving_deleted') }} is not true as is_costed,
        not interactions.is_deleted and {{ of_named('tickets', 'is_surviving_deleted') }} is not true as is_counted,
        interactions.handle_seconds,
        -- A call left open overnight must not draw the cost of the day: as a driver it counts up to one shift.
        case when interactions.handle_seconds > interactions.handle_limit_seconds then interactions.handle_limit_seconds else interactions.handle_seconds end as driver_seconds,
        coalesce(interactions.handle_seconds > interactions.handle_limit_seconds, false) as is_handle_time_limited,
        interactions.queue,
        interactions.ivr_seconds,
        interactions.ring_count,
        interactions.ring_started_at,
        interactions.answered_at,
        -- How a contact that came to a queue left it; null for one that did not come to a queue, or by a technical fault.
        case
            when interactions.direction <> 'in' then null
            when
                interactions.channel <> 'phone' and interactions.queued_at is null and interactions.queue_seconds is null
                and interactions.outcome not in ('abandoned_queue', 'abandoned_hold', 'blocked', 'voicemail', 'callback')
                then null
            when interactions.outcome = 'answered' or coalesce(interactions.talk_seconds, 0) > 0 then 'answered'
            when interactions.outcome in ('abandoned_queue', 'abandoned_hold') then 'abandoned'
            when interactions.outcome in ('blocked', 'voicemail', 'callback') then interactions.outcome
            when interactions.outcome not in ('failed', 'abandoned_ivr') then 'unknown'
        end as queue_outcome,
        -- What the switch reports, else from the queue to the answer, or to the end of a contact that was abandoned.
        case
            when interactions.queue_seconds is not null then interactions.queue_seconds
            when coalesce(interactions.answered_at, case when interactions.outcome in ('abandoned_queue', 'abandoned_hold') then interactions.ended_at end) < interactions.queued_at then 0
            when interactions.answered_at is not null
                then {{ elapsed_seconds('interactions.queued_at', 'interactions.answered_at') }}
            when interactions.outcome in ('abandoned_queue', 'abandoned_hold')
                then {{ elapsed_seconds('interactions.queued_at', 'interactions.ended_at') }}
        end as wait_seconds,
        interactions.started_date,
        period_day.period_month,
        interactions.started_at
    from interactions
    inner join {{ ref('int_core__period_day') }} as period_day on interactions.started_date = period_day.day
    {{ left_join_named(ref('int_service__ticket_placed'), 'tickets', 'ticket_key', 'interactions', 'ticket_id') }}
    left join {{ ref('int_core__account_merged') }} as accounts on interactions.account_id = accounts.account_id
    left join {{ ref('int_core__account_resolved') }} as resolved on interactions.contact_id = resolved.contact_id
)

select * from placed
