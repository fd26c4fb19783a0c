{{ config(tags=['gate']) }}
-- Breaks: every sum over the table counts something twice. The key columns of each table must name one row in all months: a key
-- of a month that was rebuilt is looked for in the others too.
{% set whole = {
    'dim_period': 'period_month',
    'dim_account': 'account_id',
    'fct_cost_line': 'cost_line_id, period_month',
    'mart_customer_360': 'account_id',
    'dim_agent': 'agent_id, valid_from_date',
    'fct_agent_day': 'agent_id, work_date',
    'fct_training': 'agent_id, module_id, started_at',
    'mart_budget_variance': 'period_month, legal_entity, cost_centre, cost_category, budget_version_key',
    'mart_tool_month': 'period_month, tool_id, pool_id',
    'mart_workforce_turnover': 'period_month, team_id, department_id, site_id',
    'dim_standard': 'standard_id, valid_from_date',
    'mart_queue_interval': 'queue, channel, department_id, started_date, interval_start_minutes, interval_source',
    'fct_issue_chain': 'chain_key',
    'fct_self_service_session': 'session_key',
} %}
{% set monthly = {
    'fct_order': 'order_key',
    'fct_order_line_net': 'order_line_key, line_id',
    'fct_refund': 'refund_key',
    'fct_payment': 'payment_key',
    'fct_ticket': 'ticket_key',
    'fct_interaction': 'interaction_key',
    'fct_ticket_interval': 'ticket_key, interval_number',
    'mart_ticket_clock': 'ticket_key',
    'fct_survey_response': 'response_key, question_key',
    'mart_cost_per_unit': 'period_month, unit_kind, channel',
    'mart_unit_cost_detail': "period_month, unit_kind, channel, coalesce(department_id, ''), coalesce(queue, ''), coalesce(issue_family, '')",
    'mart_cost_reconciliation': 'period_month, legal_entity, cost_category, pool_id',
    'mart_account_service_month': 'account_id, period_month',
    'mart_account_sales_month': 'account_id, period_month',
} %}
{% for table, grain in whole.items() %}
select '{{ table }}' as relation, count(*) as repeated_count
from (select {{ grain }} from {{ ref(table) }} group by {{ grain }} having count(*) > 1) as repeated
having count(*) > 0
union all
{% endfor %}
{% for table, grain in monthly.items() %}
select '{{ table }}' as relation, count(*) as repeated_count
from (
    select {{ grain }}
    from {{ ref(table) }}
    where ({{ grain }}) in (select {{ grain }} from {{ ref(table) }} where period_month is null or {{ affected() }})
    group by {{ grain }}
    having count(*) > 1
) as repeated
having count(*) > 0
{{ 'union all' if not loop.last }}
{% endfor %}
