{# Minor units per unit with four decimals, rounded once, half away from zero; null when there is no unit. `decimals` of the currency turn them
   into money; without them it is a plain ratio of two numbers of minor units. #}
{% macro unit_amount(minor, units, decimals=none) -%}
{%- set times = '10000' if decimals is none else 'case ' ~ decimals ~ ' when 0 then 10000 when 3 then 10 else 100 end' -%}
cast(cast({{ rounded_quotient('(' ~ minor ~ ' * ' ~ times ~ ')', units) }} as decimal(18, 0)) * cast(0.0001 as decimal(5, 4)) as decimal(18, 4))
{%- endmacro %}
