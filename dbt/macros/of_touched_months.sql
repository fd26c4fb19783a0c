{# Condition of a data test: rows of the months this run rebuilt. The others were tested by the run that built them. #}
{% macro of_touched_months(month='period_month') -%}
{{ month }} in (select touched.period_month from {{ ref('int_core__touched_month') }} as touched)
{%- endmacro %}
