{# The value of the latest row up to this one that has one, in the order of a window. #}
{% macro latest_known(value, window) -%}{{ return(adapter.dispatch('latest_known')(value, window)) }}{%- endmacro %}
{% macro default__latest_known(value, window) -%}last_value({{ value }} ignore nulls) over ({{ window }} rows between unbounded preceding and current row){%- endmacro %}
{% macro spark__latest_known(value, window) -%}last({{ value }}, true) over ({{ window }} rows between unbounded preceding and current row){%- endmacro %}
