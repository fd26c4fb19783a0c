{# Largest factor whose square still fits a 64-bit integer with room to add three of them: 2^30. #}
{% macro narrow_limit() -%}1073741824{%- endmacro %}
