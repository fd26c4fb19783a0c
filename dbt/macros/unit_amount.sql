{# Money per unit with four decimals, rounded once, half away from zero, in whole numbers; null when there is no unit. #}
{% macro unit_amount(minor, units) -%}
cast(
    cast(
        sign({{ minor }}) * {{ integer_quotient(wide_integer('abs(' ~ minor ~ ')') ~ ' * 200 + abs(' ~ units ~ ')', '2 * abs(' ~ units ~ ')') }} * sign({{ units }})
        as decimal(18, 0)
    ) * cast(0.0001 as decimal(5, 4)) as decimal(18, 4)
)
{%- endmacro %}
