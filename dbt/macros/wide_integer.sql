{# An integer wide enough for minor units times driver units (up to 38 digits). #}
{% macro wide_integer(value) -%}{{ return(adapter.dispatch('wide_integer')(value)) }}{%- endmacro %}
{% macro default__wide_integer(value) -%}cast({{ value }} as hugeint){%- endmacro %}
{% macro spark__wide_integer(value) -%}cast({{ value }} as decimal(38, 0)){%- endmacro %}
