{# Calendar date of an instant in an IANA zone. #}
{% macro business_date(instant, zone) -%}{{ return(adapter.dispatch('business_date')(instant, zone)) }}{%- endmacro %}
{% macro default__business_date(instant, zone) -%}cast({{ instant }} at time zone {{ zone }} as date){%- endmacro %}
{% macro spark__business_date(instant, zone) -%}cast(from_utc_timestamp({{ instant }}, {{ zone }}) as date){%- endmacro %}
