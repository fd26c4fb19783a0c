{# The rows of int_core__affected_day that this run adds: what `affected_statement` finds, and none on a full build. #}
{% macro affected_days() -%}
{%- if is_incremental() -%}{{ affected_statement() }}{%- else -%}select cast(null as date) as day where false{%- endif -%}
{%- endmacro %}
