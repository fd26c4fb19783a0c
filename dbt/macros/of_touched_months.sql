{# Condition of a data test: rows of the months this run rebuilt. The others were tested by the run that built them.
   For DuckDB the months are written out: it then knows how few rows there are and leaves the blocks of other months unread. #}
{% macro of_touched_months(month='period_month') -%}
{%- set touched = ref('int_core__touched_month') -%}
{%- if execute and target.type == 'duckdb' -%}
{%- set months = run_query('select cast(period_month as string) from ' ~ touched ~ ' order by 1').columns[0].values() -%}
{{ month ~ " in (date '" ~ months | join("', date '") ~ "')" if months else 'false' }}
{%- else -%}{{ month }} in (select touched.period_month from {{ touched }} as touched)
{%- endif -%}
{%- endmacro %}
