{# Instant of a minute of a local day in an IANA zone; minute 1440 is the midnight that ends the day. Hours that a clock change skips or repeats follow the engine. #}
{% macro local_instant(day, minutes, zone) -%}{{ return(adapter.dispatch('local_instant')(day, minutes, zone)) }}{%- endmacro %}
{% macro default__local_instant(day, minutes, zone) -%}((cast({{ day }} as timestamp) + to_minutes({{ minutes }})) at time zone {{ zone }}){%- endmacro %}
{% macro spark__local_instant(day, minutes, zone) -%}to_utc_timestamp(timestamp_seconds(unix_seconds(cast({{ day }} as timestamp)) + {{ minutes }} * 60), {{ zone }}){%- endmacro %}
