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
        placed.queue_outcome,
        placed.is_handled,
        placed.is_costed,
        placed.is_counted,
        placed.is_handle_time_limited,
        interactions.is_deleted,
        placed.account_id = 'ACCOUNT_UNKNOWN' as is_orphan,
        interactions.transfer_count,
        interactions.ivr_seconds,
        interactions.queue_seconds,
        placed.wait_seconds,
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
