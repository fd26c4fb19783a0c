{# For a monthly model that reads nothing by `rows_of`: it waits until the months are known. dbt refuses a model that forgets it. #}
{% macro after_affected_months() -%}
{%- if not execute -%}{%- do ref('int_core__affected_month') -%}{%- endif -%}
{%- endmacro %}
