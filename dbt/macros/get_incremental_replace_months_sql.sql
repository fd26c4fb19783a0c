{# Incremental strategy `replace_months`: the touched months go, and what the model says of them comes, in one transaction.
   A month whose rows are all gone is emptied too, which deleting by the keys of the new rows would not do. #}
{% macro get_incremental_replace_months_sql(arg_dict) -%}
{%- set names = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}
delete from {{ arg_dict['target_relation'] }}
where period_month is null or {{ of_touched_months() }};
insert into {{ arg_dict['target_relation'] }} ({{ names }}) select {{ names }} from {{ arg_dict['temp_relation'] }}
{%- endmacro %}
