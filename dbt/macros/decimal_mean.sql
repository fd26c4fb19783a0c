{# Mean of a decimal(9,4), rounded once, half away from zero; null over no value. avg() is a float on DuckDB only. #}
{% macro decimal_mean(value) -%}
cast(cast({{ rounded_quotient('cast(sum(' ~ value ~ ') * 10000 as bigint)', 'count(' ~ value ~ ')') }} as decimal(9, 0)) * cast(0.0001 as decimal(5, 4)) as decimal(9, 4))
{%- endmacro %}
