{{ config(tags=['gate']) }}
-- Breaks: the cost of people's time is not that of the books. In each month, entity and pool the supplied cost must be that of the cost lines of
-- people, and used and unused cost must be the supplied cost.
with lines as (
    select period_month, legal_entity, pool_id, sum(cost_amount) as cost_amount, bool_or(is_fx_missing) as is_unknown
    from {{ ref('fct_cost_line') }}
    where is_roi_basis and cost_category = 'people'
    group by period_month, legal_entity, pool_id
),

supplied as (
    select
        period_month, legal_entity, pool_id, sum(supplied_amount) as supplied_amount,
        count(case when null_reason is null and used_amount + unused_amount is distinct from supplied_amount then 1 end) as broken_count
    from {{ ref('mart_capacity_cost') }}
    group by period_month, legal_entity, pool_id
)

select coalesce(lines.period_month, supplied.period_month) as period_month, coalesce(lines.pool_id, supplied.pool_id) as pool_id, lines.cost_amount as expected_amount, supplied.supplied_amount, supplied.broken_count
from lines
full outer join supplied on lines.period_month = supplied.period_month and lines.legal_entity = supplied.legal_entity and lines.pool_id = supplied.pool_id
where
    coalesce(supplied.broken_count, 0) > 0
    or (not coalesce(lines.is_unknown, false) and coalesce(lines.cost_amount, 0) <> coalesce(supplied.supplied_amount, 0))
