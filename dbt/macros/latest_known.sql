{# The value of the latest row up to this one that has one, among the rows of a partition in an order. #}
{% macro latest_known(value, partition, order) -%}{{ return(adapter.dispatch('latest_known')(value, partition, order)) }}{%- endmacro %}
{% macro default__latest_known(value, partition, order) -%}last_value({{ value }} ignore nulls) over (partition by {{ partition }} order by {{ order }} rows between unbounded preceding and current row){%- endmacro %}
{% macro spark__latest_known(value, partition, order) -%}last({{ value }}, true) over (partition by {{ partition }} order by {{ order }} rows between unbounded preceding and current row){%- endmacro %}
