{# Joins what an id names: the row of the same system if it has one, else the one other row that has the id; never one of several.
   `row` is the alias of a relation with `key_scope`, `id` its column; `target` has `key`, the id of the same name and `is_id_shared`.
   At most one of the two joins finds a row: `of_named` reads a column of it. An id that one system alone has needs no system. #}
{% macro left_join_named(target, name, key, row, id) -%}
left join {{ target }} as {{ name }}_alone on {{ row }}.{{ id }} = {{ name }}_alone.{{ key | replace('_key', '_id') }} and {{ name }}_alone.is_id_shared is not true
left join {{ target }} as {{ name }}_own on {{ key_of(row, id) }} = {{ name }}_own.{{ key }} and {{ name }}_own.is_id_shared
{%- endmacro %}
