{# Decimals of the minor unit of a currency by ISO 4217; the list is that of dagster_project/contracts/currencies.py. #}
{% macro currency_decimals(currency) -%}
cast(case
    when {{ currency }} in ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') then 0
    when {{ currency }} in ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') then 3
    else 2
end as bigint)
{%- endmacro %}
