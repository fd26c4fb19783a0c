{# `materialized='monthly'`: a table whose rows belong to fiscal months (column `period_month`). A run replaces the months that are
   affected (int_core__affected_month) and the rows of no month, the few whose parent has not come yet; a month whose rows are all gone is
   emptied. A full build makes a new table. The model's rows are filtered here too: a read without `rows_of` costs time,
   never truth. Rows are written month by month, so that replacing a month leaves the blocks of others unread. Spark builds everything. #}
{% materialization monthly, adapter='duckdb' %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set in_order -%}
    select * from ({{ compiled_code }}) as model{% if replaces_months() %} where {{ affected(nullable=true) }}{% endif %} order by period_month
    {%- endset -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- if replaces_months() -%}
        {%- if config.get('contract').enforced -%}{{ get_assert_columns_equivalent(compiled_code) }}{%- endif -%}
        {% call statement('main') -%}
            delete from {{ target_relation }} where {{ affected(nullable=true) }};
            insert into {{ target_relation }} by name {{ in_order }}
        {%- endcall %}
    {%- else -%}
        {%- set existing, draft = load_cached_relation(this), make_intermediate_relation(target_relation) -%}
        {{ drop_relation_if_exists(load_cached_relation(draft)) }}
        {% call statement('main') -%}{{ create_table_as(False, draft, in_order) }}{%- endcall %}
        {%- if existing is not none -%}{%- do adapter.drop_relation(existing) -%}{%- endif -%}
        {%- do adapter.rename_relation(draft, target_relation) -%}
    {%- endif -%}
    {%- do persist_docs(target_relation, model) -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- do adapter.commit() -%}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{% materialization monthly, adapter='spark' %}{{ return(materialization_table_spark()) }}{% endmaterialization %}
