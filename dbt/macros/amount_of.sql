{# Cents as money; multiplied, because a quotient of decimals is a float on DuckDB. #}
{% macro amount_of(minor) -%}cast(cast({{ minor }} as decimal(18, 0)) * cast(0.01 as decimal(3, 2)) as decimal(18, 2)){%- endmacro %}
