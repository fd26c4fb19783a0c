{# Condition that a month is rebuilt by this run; also of data tests, since the other months were tested by the run that built them.
   For DuckDB the months are written out: it then knows how few rows there are and leaves the blocks of other months unread. #}
{% macro affected(month='period_month', nullable=false) -%}
{%- set months_relation = ref('int_core__affected_month') -%}
{{ '(' ~ month ~ ' is null or ' if nullable }}
{%- if execute and target.type == 'duckdb' -%}
{%- set months = run_query('select distinct cast(period_month as string) from ' ~ months_relation ~ ' order by 1').columns[0].values() -%}
{{ month ~ " in (date '" ~ months | join("', date '") ~ "')" if months else 'false' }}
{%- else -%}{{ month }} in (select affected.period_month from {{ months_relation }} as affected)
{%- endif -%}
{{ ')' if nullable }}
{%- endmacro %}
