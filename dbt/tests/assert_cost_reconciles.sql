{{ config(tags=['gate']) }}
-- Breaks: finance cannot tie the extract to the ledger. The difference must be 0.00 in every row, and the rows together
-- must hold every expense line that counts.
with reconciled as (
    select period_month, sum(ledger_amount) as ledger_amount from {{ ref('mart_cost_reconciliation') }} group by period_month
),

counted as (
    select period_month, sum(cost_amount) as ledger_amount from {{ ref('fct_cost_line') }} where is_counted group by period_month
)

select
    period_month,
    'difference' as broken,
    legal_entity,
    cost_category,
    pool_id,
    difference_amount,
    currency_code
from {{ ref('mart_cost_reconciliation') }}
where difference_amount is distinct from 0
union all
select
    coalesce(reconciled.period_month, counted.period_month) as period_month,
    'ledger total' as broken,
    null as legal_entity,
    null as cost_category,
    null as pool_id,
    reconciled.ledger_amount - counted.ledger_amount as difference_amount,
    null as currency_code
from reconciled
full outer join counted on reconciled.period_month = counted.period_month
where coalesce(reconciled.ledger_amount, 0) <> coalesce(counted.ledger_amount, 0)
