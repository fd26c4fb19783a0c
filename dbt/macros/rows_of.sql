{# The rows of a model that belong to the months that this run rebuilds, by one of its columns; in a full build all of them. #}
{% macro rows_of(name, month='period_month') -%}
{%- set relation = ref(name) -%}
{{- after_affected_months() -}}
{{ '(select * from ' ~ relation ~ ' where ' ~ affected(month) ~ ')' if replaces_months() else relation }}
{%- endmacro %}
