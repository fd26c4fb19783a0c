{# dbt's own: the columns that promise no null, as table property `not_null`, for readers of Spark's catalog. #}
{% macro spark__tblproperties_clause() -%}
{%- set promised = [] -%}
{%- for name, column in model.columns.items() if column.constraints | selectattr('type', 'equalto', 'not_null') | list -%}
    {%- do promised.append(name) -%}
{%- endfor -%}
{%- if promised %}tblproperties ('not_null' = '{{ promised | join(',') }}'){% endif -%}
{%- endmacro %}
