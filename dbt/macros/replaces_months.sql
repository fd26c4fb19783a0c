{# Whether this model replaces months in this run. `is_incremental` is false for this materialization, so it must not be asked. #}
{% macro replaces_months() -%}
{%- if not execute or flags.FULL_REFRESH or model.resource_type != 'model' or model.config.materialized != 'monthly' or target.type == 'spark' -%}{{ return(false) }}{%- endif -%}
{%- set existing = load_cached_relation(this) -%}
{{ return(existing is not none and existing.type == 'table') }}
{%- endmacro %}
