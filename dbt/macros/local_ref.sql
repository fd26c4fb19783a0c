{# A reference without the database name: a view made of these can be read after its file was attached under any name. #}
{% macro local_ref(model) -%}{{ return(ref(model).include(database=false)) }}{%- endmacro %}
