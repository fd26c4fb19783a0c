{# dbt's own, for contracts: a type of the yml in the words of Spark, where an instant is `timestamp`. #}
{% macro spark__get_empty_schema_sql(columns) -%}
{{ default__get_empty_schema_sql(columns) | replace('timestamptz', 'timestamp') }}
{%- endmacro %}
