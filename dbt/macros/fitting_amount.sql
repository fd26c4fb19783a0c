{# A rounded product as money; null where it is larger than an amount can be. A cast that gives null means other things on each engine, so
   that none is in a model. #}
{% macro fitting_amount(value) -%}{{ return(adapter.dispatch('fitting_amount')(value)) }}{%- endmacro %}
{% macro default__fitting_amount(value) -%}try_cast({{ value }} as decimal(18, 3)){%- endmacro %}
{% macro spark__fitting_amount(value) -%}try_cast({{ value }} as decimal(18, 3)){%- endmacro %}
