{# One column of a scan's metrics, one row a metric: what the metric `listed` has of it, null where it has none. Each is cast before they are
   put side by side: of two sums of decimals the engine keeps the fewer decimals. #}
{% macro metric_pick(metrics, part, kind) -%}
{%- set cases, named = [], {'is_provisional': 'provisional'} -%}
{%- for id, own, measure, holds in metrics -%}
{%- set is_sum = measure.agg != 'max' -%}
{%- if own[named.get(part, part)] or (part == 'value' and not is_sum) -%}{%- do cases.append("when '" ~ id ~ "' then cast(" ~ id ~ '_' ~ part ~ ' as ' ~ kind ~ ')') -%}
{%- elif part == 'num' and is_sum -%}{%- do cases.append("when '" ~ id ~ "' then cast(" ~ ('case when ' ~ id ~ '_null_reason is null then ' ~ id ~ '_value end' if own.null_reason else ('coalesce(' ~ id ~ '_value, 0)' if measure.agg == 'count' else id ~ '_value')) ~ ' as ' ~ kind ~ ')') -%}
{%- endif -%}
{%- endfor -%}
{{ 'case listed.metric_id ' ~ cases | join(' ') ~ ' end' if cases else 'cast(null as ' ~ kind ~ ')' }}
{%- endmacro %}
