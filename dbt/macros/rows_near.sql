{# The rows of a staging model whose instant may fall into a month that this run rebuilds, in any time zone: what the fiscal month says
   later, but before any row is placed, on the span of the rebuilt months, so that DuckDB leaves other blocks of the feed unread. #}
{% macro rows_near(name, instant, nullable=false) -%}
{%- set relation, days = ref(name), ref('int_core__period_day') -%}
{{- after_affected_months() -}}
{%- if replaces_months() -%}
{%- set span = 'select cast(min(day) - 1 as string), cast(max(day) + 2 as string) from ' ~ days ~ ' where ' ~ affected() -%}
{%- set first, last = run_query(span).rows[0].values() -%}
(select * from {{ relation }} where {{ 'false' if first is none else instant ~ " >= timestamptz '" ~ first ~ " 00:00:00+00' and " ~ instant ~ " < timestamptz '" ~ last ~ " 00:00:00+00'" }}{{ ' or ' ~ instant ~ ' is null' if nullable }})
{%- else -%}{{ relation }}
{%- endif -%}
{%- endmacro %}
