{# End of a model whose rows belong to months: on DuckDB they are written month by month, so that a later run that replaces a month
   deletes whole blocks at the end of the table and leaves the others unread. Files of Spark are written anew by every run.
   `execute` is false while a linter renders the model: there is no target then. #}
{% macro in_month_order() -%}
{{ 'order by period_month' if execute and target.type == 'duckdb' }}
{%- endmacro %}
