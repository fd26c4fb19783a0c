{# Money as a whole number of cents; exact, since money has two decimals everywhere in the warehouse. #}
{% macro minor_units(amount) -%}cast({{ amount }} * 100 as bigint){%- endmacro %}
