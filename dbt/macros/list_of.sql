{# The different texts of a group in one, in order, separated by a comma. #}
{% macro list_of(column) -%}{{ return(adapter.dispatch('list_of')(column)) }}{%- endmacro %}
{% macro default__list_of(column) -%}string_agg(distinct {{ column }}, ', ' order by {{ column }}){%- endmacro %}
{% macro spark__list_of(column) -%}array_join(array_sort(collect_set({{ column }})), ', '){%- endmacro %}
