{# Expression of a dimension of a semantic model. #}
{% macro metric_dimension(subject, name) -%}
{%- for dimension in subject.dimensions if dimension.name == name -%}{{ dimension.expr or name }}{%- endfor -%}
{%- endmacro %}
