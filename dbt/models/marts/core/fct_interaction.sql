{{ config(materialized='monthly') }}

with fct_interaction as (
    select
        placed.interaction_key,
        interactions.interaction_id,
        placed.ticket_key,
        interactions.ticket_id,
        placed.surviving_ticket_key,
        placed.surviving_ticket_id,
        placed.account_id,
        interactions.contact_id,
        interactions.agent_id,
        interactions.department_id,
        interactions.queue,
        interactions.channel,
        interactions.direction,
        interactions.purpose,
        interactions.outcome,
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
        placed.is_handled,
        placed.is_costed,
        placed.is_counted,
        placed.is_handle_time_limited,
        interactions.is_deleted,
        placed.account_id = 'ACCOUNT_UNKNOWN' as is_orphan,
        interactions.transfer_count,
        interactions.ivr_seconds,
        interactions.queue_seconds,
        -- What the switch reports, else from the queue to the answer or to the end of a contact that nobody answered.
        case
            when interactions.queue_seconds is not null then interactions.queue_seconds
            when interactions.answered_at >= interactions.queued_at
                then {{ elapsed_seconds('interactions.queued_at', 'interactions.answered_at') }}
            when interactions.answered_at is null and interactions.outcome in ('abandoned_queue', 'abandoned_hold') and interactions.ended_at >= interactions.queued_at
                then {{ elapsed_seconds('interactions.queued_at', 'interactions.ended_at') }}
            when interactions.queued_at is not null and coalesce(interactions.answered_at, interactions.ended_at) < interactions.queued_at then 0
        end as wait_seconds,
        interactions.ring_count,
        interactions.talk_seconds,
        interactions.hold_seconds,
        interactions.wrap_seconds,
        placed.handle_seconds,
        placed.started_date,
        placed.period_month,
        interactions.started_at,
        interactions.queued_at,
        interactions.ring_started_at,
        interactions.answered_at,
        interactions.ended_at
    from {{ rows_near('stg_interactions', 'started_at') }} as interactions
    inner join {{ rows_of('int_service__interaction_placed') }} as placed on {{ key_of('interactions', 'interaction_id') }} = placed.interaction_key
)

select * from fct_interaction
