{# Money as a whole number of minor units of a currency with this many decimals (0, 2 or 3); exact, since money in a currency is rounded to
   them; widened, because DuckDB multiplies within 18 digits. #}
{% macro minor_units(amount, decimals) -%}cast(cast({{ amount }} as decimal(21, 3)) * case {{ decimals }} when 0 then 1 when 3 then 1000 else 100 end as bigint){%- endmacro %}
