{# One column of a scan's metrics, one row a metric: what the metric `listed` has of it, null where it has none. #}
{% macro metric_pick(metrics, part, kind) -%}
{%- set cases, named = [], {'is_provisional': 'provisional'} -%}
{%- for id, own, measure, holds in metrics -%}
{%- set is_sum = measure.agg != 'max' -%}
{%- if own[named.get(part, part)] or (part == 'value' and not is_sum) -%}{%- do cases.append("when '" ~ id ~ "' then " ~ id ~ '_' ~ part) -%}
{%- elif part == 'num' and is_sum -%}{%- do cases.append("when '" ~ id ~ "' then " ~ ('case when ' ~ id ~ '_null_reason is null then ' ~ id ~ '_value end' if own.null_reason else ('coalesce(' ~ id ~ '_value, 0)' if measure.agg == 'count' else id ~ '_value'))) -%}
{%- endif -%}
{%- endfor -%}
{{ 'cast(' ~ ('case listed.metric_id ' ~ cases | join(' ') ~ ' end' if cases else 'null') ~ ' as ' ~ kind ~ ')' }}
{%- endmacro %}
