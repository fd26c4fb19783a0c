{# Family of a channel, so that a survey by chat fits a message; null for `other`, which may be anything. #}
{% macro channel_family(channel) -%}
case
    when {{ channel }} = 'phone' then 'voice'
    when {{ channel }} in ('chat', 'messaging', 'app') then 'chat'
    when {{ channel }} in ('web_form', 'portal') then 'web'
    when {{ channel }} <> 'other' then {{ channel }}
end
{%- endmacro %}
