{# A number as money of a currency with this many decimals, rounded once, half away from zero; null where it is larger than an amount can be. #}
{% macro rounded_money(value, decimals) -%}
case {{ decimals }} when 0 then {{ fitting_amount('round(' ~ value ~ ', 0)') }} when 3 then {{ fitting_amount('round(' ~ value ~ ', 3)') }} else {{ fitting_amount('round(' ~ value ~ ', 2)') }} end
{%- endmacro %}
