{# dbt's own, for tables with a contract. Spark's files cannot hold NOT NULL, so the statement that writes the table refuses
   the null itself, naming table and column: no second scan, and nothing of the table is seen. #}
{% macro spark__get_select_subquery(sql) -%}
select
{%- for name, column in model.columns.items() %}
    {% if column.constraints | selectattr('type', 'equalto', 'not_null') | list -%}
    coalesce({{ name }}, raise_error('null in {{ this.schema }}.{{ this.identifier }}.{{ name }}, which promises none')) as {{ name }}
    {%- else -%}
    {{ name }}
    {%- endif %}{{ ',' if not loop.last }}
{%- endfor %}
from (
    {{ sql }}
) as model_subq
{%- endmacro %}
