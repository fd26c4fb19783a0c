{# Business seconds of a schedule up to an instant, of one row of int_service__open_span of the instant's day; the greatest of a day counts. #}
{% macro opened_seconds(span, instant) -%}
case
    when {{ span }}.opens_at <= {{ instant }} then {{ span }}.opened_seconds + least({{ elapsed_seconds(span ~ '.opens_at', instant) }}, {{ elapsed_seconds(span ~ '.opens_at', span ~ '.closes_at') }})
    else {{ span }}.day_opened_seconds
end
{%- endmacro %}
