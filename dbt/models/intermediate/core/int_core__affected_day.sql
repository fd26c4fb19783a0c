{{ config(materialized='incremental', incremental_strategy='append') }}

-- What was there before this build is read by name, since staging waits for this model; see docs/decisions/0030-affected-months-from-declarations.md.
-- Days stay until a copy was published, so those of a run that ended early are affected again.
{% for feed in ['account_merges', 'accounts', 'agent_time', 'agents', 'contacts', 'entitlements', 'fx_rates', 'interactions', 'offers', 'order_lines', 'orders', 'payments', 'queue_intervals', 'refunds', 'ring_cadence', 'self_service_sessions', 'service_standards', 'survey_invitations', 'survey_responses', 'ticket_events', 'tickets', 'tool_usage', 'training_events'] -%}
-- depends_on: {{ source('arrived', feed) }}
{% endfor %}
{{ affected_days() }}
