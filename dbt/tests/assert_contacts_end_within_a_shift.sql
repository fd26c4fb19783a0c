{{ config(severity='warn') }}
-- Warns: a contact was handled for longer than a shift (handle_limit_seconds), or a ticket for longer than five, so it was left open or the
-- unit of its time is wrong. It draws cost up to that limit only.
select 'contact' as work_kind, interaction_id as work_id, handle_seconds, period_month from {{ ref('fct_interaction') }} where is_handle_time_limited and {{ affected() }}
union all
select 'ticket' as work_kind, ticket_id as work_id, handle_seconds, period_month from {{ ref('fct_ticket') }} where is_handle_time_limited and {{ affected() }}
