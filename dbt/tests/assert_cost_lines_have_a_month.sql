-- Breaks: a cost line names a fiscal month or year that no calendar knows, so its money falls out of every month.
select cost_line_id, cost_source, transaction_cost_amount
from {{ ref('fct_cost_line') }}
where period_month is null
