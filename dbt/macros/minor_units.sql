{# Money as a whole number of cents; exact, since money has two decimals everywhere in the warehouse; widened, because
   DuckDB multiplies within 18 digits. #}
{% macro minor_units(amount) -%}cast(cast({{ amount }} as decimal(20, 2)) * 100 as bigint){%- endmacro %}
