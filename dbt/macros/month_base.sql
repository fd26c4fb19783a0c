{# Numbers made inside a fiscal month start above this one, so that no month can shift the numbers of another. #}
{% macro month_base(month) -%}({{ days_between("date '1970-01-01'", month) }} * 10000000000){%- endmacro %}
