{# -1, 0 or 1 as a whole number; a bare sign() is a float on Spark, which loses cents beyond 15 digits. #}
{% macro direction(number) -%}cast(sign({{ number }}) as bigint){%- endmacro %}
