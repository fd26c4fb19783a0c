{# Money per unit with four decimals, rounded once, half away from zero; null when there is no unit. #}
{% macro unit_amount(minor, units) -%}
cast(cast({{ rounded_quotient(minor, units, 100) }} as decimal(18, 0)) * cast(0.0001 as decimal(5, 4)) as decimal(18, 4))
{%- endmacro %}
