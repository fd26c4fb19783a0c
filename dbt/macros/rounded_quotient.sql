{# The whole number nearest to dividend * times / divisor, half away from zero, in whole numbers; null when the divisor is 0. #}
{% macro rounded_quotient(dividend, divisor, times=1) -%}
{{ direction(dividend) }} * {{ integer_quotient(wide_integer('abs(' ~ dividend ~ ')') ~ ' * ' ~ 2 * times ~ ' + abs(' ~ divisor ~ ')', '2 * abs(' ~ divisor ~ ')') }} * {{ direction(divisor) }}
{%- endmacro %}
