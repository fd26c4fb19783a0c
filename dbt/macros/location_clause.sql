{# dbt's own: where the files of a table are, as the run says (DBT_WAREHOUSE_FOLDER). A killed run may leave the folder of a table
   that never was: Spark writes over a place it is given, and refuses a place it would have chosen itself. #}
{% macro spark__location_clause() -%}
{%- set folder = env_var('DBT_WAREHOUSE_FOLDER', '') | replace("'", "\\'") -%}
{%- if folder %}location '{{ folder }}/{{ this.schema }}/{{ this.identifier }}'{% endif -%}
{%- endmacro %}
