{# Condition that keeps a build to the months this run rebuilds (int_core__touched_month); on a full build every month.
   Rows that belong to no month (`nullable`) are rebuilt by every run: they are the few whose parent has not come yet.
   Named while dbt parses, so that the order of models holds; on a full build, and in a unit test, nothing reads it. #}
{% macro in_touched_months(month, nullable=false) -%}
{%- if not execute or is_incremental() -%}
{{ '(' ~ month ~ ' is null or ' if nullable }}{{ of_touched_months(month) }}{{ ')' if nullable }}
{%- else -%}true
{%- endif -%}
{%- endmacro %}
