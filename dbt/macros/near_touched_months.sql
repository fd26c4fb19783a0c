{# Condition that an instant may fall into a month that this run rebuilds, in any time zone. It says nothing that the fiscal month does
   not say, but before any row is placed: on the span of the rebuilt months, so that DuckDB leaves other blocks of a feed unread. #}
{% macro near_touched_months(instant, nullable=false) -%}
{%- if not execute or is_incremental() -%}
{%- set days, touched = ref('int_core__period_day'), ref('int_core__touched_month') -%}
{%- if execute -%}
{%- set span = 'select cast(min(day) - 1 as string), cast(max(day) + 2 as string) from ' ~ days ~ ' where period_month in (select period_month from ' ~ touched ~ ')' -%}
{%- set first, last = run_query(span).rows[0].values() -%}
{%- set within = instant ~ " >= timestamptz '" ~ first ~ " 00:00:00+00' and " ~ instant ~ " < timestamptz '" ~ last ~ " 00:00:00+00'" -%}
{{ 'false' if first is none else '(' ~ instant ~ ' is null or ' ~ within ~ ')' if nullable else within }}
{%- else -%}true
{%- endif -%}
{%- else -%}true
{%- endif -%}
{%- endmacro %}
