{{ config(tags=['gate']) }}
-- Breaks: budget against actual is not that of the cost lines. By entity and month, what is in force must hold every expense line in force:
-- of the budget, and of the ledger.
with lines as (
    select
        legal_entity, period_month,
        sum(case when cost_source = 'budget' then cost_amount else 0 end) as budget_amount,
        sum(case when cost_source = 'ledger' then cost_amount else 0 end) as actual_amount
    from {{ ref('fct_cost_line') }}
    where is_in_force and line_kind = 'expense' and not is_fx_missing
    group by legal_entity, period_month
),

compared as (
    select
        legal_entity, period_month,
        sum(coalesce(budget_amount, 0) + coalesce(capex_budget_amount, 0) + coalesce(out_of_scope_budget_amount, 0)) as budget_amount,
        sum(coalesce(actual_amount, 0) + coalesce(capex_actual_amount, 0) + coalesce(out_of_scope_actual_amount, 0)) as actual_amount,
        bool_or(budget_null_reason = 'fx_missing' or actual_null_reason = 'fx_missing') as is_unknown
    from {{ ref('mart_budget_variance') }}
    where is_in_force
    group by legal_entity, period_month
)

select coalesce(lines.period_month, compared.period_month) as period_month, coalesce(lines.legal_entity, compared.legal_entity) as legal_entity, lines.budget_amount as expected_budget, compared.budget_amount, lines.actual_amount as expected_actual, compared.actual_amount
from lines
full outer join compared on lines.legal_entity = compared.legal_entity and lines.period_month = compared.period_month
where
    not coalesce(compared.is_unknown, false)
    and (coalesce(lines.budget_amount, 0) <> coalesce(compared.budget_amount, 0) or coalesce(lines.actual_amount, 0) <> coalesce(compared.actual_amount, 0))
