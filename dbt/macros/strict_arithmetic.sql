{# Errors instead of silent nulls and wrapped numbers. DuckDB always has them; dbt-spark switches them off on every
   connection, whatever the profile says, so they are switched on again before the first model opens one. #}
{% macro strict_arithmetic() -%}{{ return(adapter.dispatch('strict_arithmetic')()) }}{%- endmacro %}
{% macro default__strict_arithmetic() -%}{%- endmacro %}
{% macro spark__strict_arithmetic() -%}
{%- do adapter.config.credentials.server_side_parameters.update({'spark.sql.ansi.enabled': 'true'}) -%}
{%- endmacro %}
