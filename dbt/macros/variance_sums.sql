{# Expense of a cell of mart_budget_variance: of customer service, capitalised, out of scope, and how many lines have no exchange rate. #}
{% macro variance_sums(side) -%}
cast(coalesce(sum(case when is_in_scope and not is_capex then cost_amount end), 0) as decimal(18, 3)) as {{ side }}_amount,
    cast(coalesce(sum(case when is_in_scope and is_capex then cost_amount end), 0) as decimal(18, 3)) as capex_{{ side }}_amount,
    cast(coalesce(sum(case when not is_in_scope then cost_amount end), 0) as decimal(18, 3)) as out_of_scope_{{ side }}_amount,
    count(case when cost_amount is null and is_in_scope and not is_capex then 1 end) as {{ side }}_unknown_count
{%- endmacro %}
