-- Breaks: a join to a dimension drops money or contacts. Every account and month named by a fact or mart must be there.
{% set tables = ['fct_order', 'fct_order_line_net', 'fct_refund', 'fct_payment', 'fct_ticket', 'fct_interaction', 'fct_survey_response', 'mart_account_service_month', 'mart_account_sales_month'] %}
with named as (
    {% for table in tables %}
    select distinct '{{ table }}' as relation, account_id, period_month from {{ ref(table) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
    union all
    select distinct 'fct_cost_line', 'UNALLOCATED', period_month from {{ ref('fct_cost_line') }} where is_in_force
)

select named.relation, named.account_id, named.period_month
from named
left join {{ ref('dim_account') }} as accounts on named.account_id = accounts.account_id
left join {{ ref('dim_period') }} as periods on named.period_month = periods.period_month
where accounts.account_id is null or (named.period_month is not null and periods.period_month is null)
