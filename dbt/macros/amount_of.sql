{# Minor units of a currency with this many decimals as money; multiplied, because a quotient of decimals is a float on DuckDB. #}
{% macro amount_of(minor, decimals) -%}
cast(cast({{ minor }} as decimal(18, 0)) * case {{ decimals }} when 0 then cast(1 as decimal(4, 3)) when 3 then cast(0.001 as decimal(4, 3)) else cast(0.01 as decimal(4, 3)) end as decimal(18, 3))
{%- endmacro %}
