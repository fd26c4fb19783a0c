-- Breaks: every sum over the table counts something twice. The key columns of each table must name one row.
{% set grains = {
    'dim_period': 'period_month',
    'dim_account': 'account_id',
    'fct_order': 'order_id',
    'fct_order_line_net': 'order_id, line_id',
    'fct_refund': 'refund_id',
    'fct_payment': 'payment_id',
    'fct_ticket': 'ticket_id',
    'fct_interaction': 'interaction_id',
    'fct_survey_response': 'response_id, question_key',
    'fct_cost_line': 'cost_line_id, period_month',
    'mart_cost_per_unit': 'period_month, unit_kind, channel',
    'mart_cost_reconciliation': 'period_month, legal_entity, cost_category, pool_id',
    'mart_account_service_month': 'account_id, period_month',
    'mart_account_sales_month': 'account_id, period_month',
    'mart_customer_360': 'account_id',
} %}
{% for table, grain in grains.items() %}
select '{{ table }}' as relation, count(*) as repeated_count
from (select {{ grain }} from {{ ref(table) }} group by {{ grain }} having count(*) > 1) as repeated
having count(*) > 0
{{ 'union all' if not loop.last }}
{% endfor %}
