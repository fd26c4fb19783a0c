{# An amount in the reporting currency at the month's average rate, rounded once to its minor unit, half away from zero.
   Needs `watermark` (int_core__watermark) and `fx` (int_core__fx_average, left joined) in scope; null when the rate is missing or the
   result does not fit.
   `own_rate`, where it is not null, goes before the rate of the month; `rates` names another join of int_core__fx_average. #}
{% macro in_reporting_currency(amount, currency, own_rate=none, rates='fx') -%}
{%- set rate = 'coalesce(' ~ own_rate ~ ', ' ~ rates ~ '.exchange_rate)' if own_rate else rates ~ '.exchange_rate' -%}
case when {{ currency }} = watermark.reporting_currency_code then {{ rounded_money(amount, 'watermark.currency_decimals') }} else {{ rounded_money('cast(' ~ amount ~ ' as decimal(29, 3)) * ' ~ rate, 'watermark.currency_decimals') }} end
{%- endmacro %}
