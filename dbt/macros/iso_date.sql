{# The date that a text of exactly the form 2025-01-31 names, else null; a plain cast also takes other forms, and not the same
   ones on each engine. #}
{% macro iso_date(text) -%}{{ return(adapter.dispatch('iso_date')(text)) }}{%- endmacro %}
{% macro default__iso_date(text) -%}case when regexp_full_match({{ text }}, '[0-9]{4}-[0-9]{2}-[0-9]{2}') then try_cast({{ text }} as date) end{%- endmacro %}
{% macro spark__iso_date(text) -%}case when {{ text }} rlike '\\A[0-9]{4}-[0-9]{2}-[0-9]{2}\\z' then try_cast({{ text }} as date) end{%- endmacro %}
