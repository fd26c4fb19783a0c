{# The instant so many seconds after another, on whole seconds. #}
{% macro instant_after(instant, seconds) -%}{{ return(adapter.dispatch('instant_after')(instant, seconds)) }}{%- endmacro %}
{% macro default__instant_after(instant, seconds) -%}(date_trunc('second', {{ instant }}) + to_seconds({{ seconds }})){%- endmacro %}
{% macro spark__instant_after(instant, seconds) -%}timestamp_seconds(unix_seconds({{ instant }}) + {{ seconds }}){%- endmacro %}
