-- Breaks: a join to a dimension drops money or contacts. Every account and month named by a fact or mart must be there.
{% set tables = ['fct_order', 'fct_order_line_net', 'fct_refund', 'fct_payment', 'fct_ticket', 'fct_interaction', 'fct_survey_response', 'mart_account_service_month', 'mart_account_sales_month'] %}
{% for table in tables %}
select '{{ table }}' as relation, facts.account_id, facts.period_month
from {{ ref(table) }} as facts
left join {{ ref('dim_account') }} as accounts on facts.account_id = accounts.account_id
left join {{ ref('dim_period') }} as periods on facts.period_month = periods.period_month
where (facts.period_month is null or {{ affected('facts.period_month') }}) and (accounts.account_id is null or (facts.period_month is not null and periods.period_month is null))
union all
{% endfor %}
select 'fct_cost_line' as relation, lines.cost_line_id as account_id, lines.period_month
from {{ ref('fct_cost_line') }} as lines
left join {{ ref('dim_period') }} as periods on lines.period_month = periods.period_month
where lines.period_month is not null and periods.period_month is null
