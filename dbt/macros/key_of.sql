{# Our key of a row: the id where the company or its own files (`canonical`) minted it, else the id behind the name of the source system.
   Two systems that count from 1 are two systems. `row` is the alias of a relation with the column `key_scope`. #}
{% macro key_of(row, id) -%}
case when coalesce({{ row }}.key_scope, '') in ('', 'canonical') then {{ row }}.{{ id }} else {{ row }}.key_scope || ':' || {{ row }}.{{ id }} end
{%- endmacro %}
