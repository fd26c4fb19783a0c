{{ config(severity='warn') }}
-- Warns: a cost line names a fiscal month or year that no calendar knows, so its money is in no month. Correct the period in its file, or deliver
-- the month in fiscal_periods.
select 'fct_cost_line' as relation, cost_line_id, transaction_cost_amount, transaction_currency_code
from {{ ref('fct_cost_line') }}
where period_month is null
