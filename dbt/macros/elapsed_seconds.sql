{# Whole seconds from one instant to another. #}
{% macro elapsed_seconds(first_at, last_at) -%}{{ return(adapter.dispatch('elapsed_seconds')(first_at, last_at)) }}{%- endmacro %}
{% macro default__elapsed_seconds(first_at, last_at) -%}date_diff('second', {{ first_at }}, {{ last_at }}){%- endmacro %}
{% macro spark__elapsed_seconds(first_at, last_at) -%}(unix_seconds({{ last_at }}) - unix_seconds({{ first_at }})){%- endmacro %}
