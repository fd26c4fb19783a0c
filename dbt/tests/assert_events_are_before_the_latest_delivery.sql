{{ config(severity='warn') }}
-- Warns: an event is later than the latest delivery, so the clock of its source is wrong. It counts on its day, and makes no month begin or complete.
with watermark as (
    select latest_delivery_date from {{ ref('int_core__watermark') }}
),

events as (
    select 'ticket' as event_kind, ticket_id as event_id, created_date as event_date, period_month from {{ ref('fct_ticket') }} where {{ affected() }}
    union all
    select 'interaction' as event_kind, interaction_id as event_id, started_date as event_date, period_month from {{ ref('fct_interaction') }} where {{ affected() }}
    union all
    select 'order' as event_kind, order_id as event_id, order_date as event_date, period_month from {{ ref('fct_order') }} where {{ affected() }}
    union all
    select 'refund' as event_kind, refund_id as event_id, refund_date as event_date, period_month from {{ ref('fct_refund') }} where {{ affected() }}
    union all
    select 'payment' as event_kind, payment_id as event_id, payment_date as event_date, period_month from {{ ref('fct_payment') }} where {{ affected() }}
    union all
    select 'answer' as event_kind, response_id as event_id, response_date as event_date, period_month from {{ ref('fct_survey_response') }} where {{ affected() }}
)

select events.* from events inner join watermark on events.event_date > watermark.latest_delivery_date
