{# The columns that `meta: grain` of a model names have one row in all months: a key of a month that was rebuilt is looked for in the others too. #}
{% test grain_is_unique(model) %}
{{ config(tags=['gate'], meta={'meaning': 'every sum over the table counts something twice'}) }}
{%- set rebuilt = affected() -%}
{%- if execute -%}
{%- set tested = graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') | selectattr('name', 'equalto', model.identifier) | first -%}
{%- set keys = [] -%}
{%- for name in tested.config.meta.grain -%}
{%- do keys.append(name if tested.columns[name].constraints else "coalesce(cast(" ~ name ~ " as string), '')") -%}
{%- endfor -%}
{%- set grain = keys | join(', ') -%}
select {{ grain }}, count(*) as repeated_count
from {{ model }}
{%- if tested.config.materialized == 'monthly' %}
where ({{ grain }}) in (select {{ grain }} from {{ model }} where period_month is null or {{ rebuilt }})
{%- endif %}
group by {{ grain }}
having count(*) > 1
{%- endif -%}
{% endtest %}
