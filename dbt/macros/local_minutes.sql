{# Whole minutes after midnight that a clock in an IANA zone shows at an instant. #}
{% macro local_minutes(instant, zone) -%}{{ return(adapter.dispatch('local_minutes')(instant, zone)) }}{%- endmacro %}
{% macro default__local_minutes(instant, zone) -%}(hour({{ instant }} at time zone {{ zone }}) * 60 + minute({{ instant }} at time zone {{ zone }})){%- endmacro %}
{% macro spark__local_minutes(instant, zone) -%}cast(hour(from_utc_timestamp({{ instant }}, {{ zone }})) * 60 + minute(from_utc_timestamp({{ instant }}, {{ zone }})) as bigint){%- endmacro %}
