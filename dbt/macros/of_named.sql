{# A column of the row that `left_join_named` found under this name. #}
{% macro of_named(name, column) -%}coalesce({{ name }}_alone.{{ column }}, {{ name }}_own.{{ column }}){%- endmacro %}
