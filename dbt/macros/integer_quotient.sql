{# Whole quotient of two integers that are not negative; null when the divisor is 0. #}
{% macro integer_quotient(dividend, divisor) -%}{{ return(adapter.dispatch('integer_quotient')(dividend, divisor)) }}{%- endmacro %}
{% macro default__integer_quotient(dividend, divisor) -%}(({{ dividend }}) // nullif({{ divisor }}, 0)){%- endmacro %}
{% macro spark__integer_quotient(dividend, divisor) -%}(({{ dividend }}) div nullif({{ divisor }}, 0)){%- endmacro %}
