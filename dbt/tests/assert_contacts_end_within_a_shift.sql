{{ config(severity='warn') }}
-- Warns: a contact was handled for longer than a shift (handle_limit_seconds), so it was left open. It draws cost up to that limit only.
select interaction_id, handle_seconds, period_month from {{ ref('fct_interaction') }} where is_handle_time_limited and {{ of_touched_months() }}
