{# Incremental strategy `replace_keys` of staging: all rows of the ids that arrived go, and what the model says of them comes, in one
   transaction. An id that was withdrawn has no new row, so deleting by the keys of the new rows would leave it. #}
{% macro get_incremental_replace_keys_sql(arg_dict) -%}
{%- set names = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}
delete from {{ arg_dict['target_relation'] }} as present
where exists (
    select 1
    from {{ source('arrived', model.name[4:]) }} as arrived
    where {% for key in arg_dict['unique_key'] %}arrived.{{ key }} = present.{{ key }}{{ ' and ' if not loop.last }}{% endfor %}
);
insert into {{ arg_dict['target_relation'] }} ({{ names }}) select {{ names }} from {{ arg_dict['temp_relation'] }}
{%- endmacro %}
