{# The days whose rows the rows in schema `arrived` change: one row per day. Read before staging takes them in.

   Every staging model that a model reads says under `meta: affects:` what hangs on what:
   days: the instants (or dates) that place a row in a month; spans: pairs of dates, every day between them.
   keys: the ids that connect rows, each with its kind and role:
     hangs        the row changes when the key moved
     moves        an arrived row, and the current row that it replaces, moves the key
     hangs_moves  both, but a row that was only reached does not pass the key on
     both         both, and a row that was reached through another key moves this one too; two such keys of one kind are one chain
   A key may say `when`: only rows that meet the condition have it.
   when_changed: only rows in which one of these columns changed count; with none, only a key that was not there.
   by_difference: true: what the feed makes is compared with the last build instead (int_core__affected_month).

   Ids are compared as sources write them, whichever system minted them: a day too many costs time, a day too few costs truth. #}
{% macro affected_statement() -%}
{%- set feeds = {} -%}
{%- for node in graph.nodes.values() | sort(attribute='name') if node.resource_type == 'model' and node.config.meta.get('affects', {}).get('keys') is not none -%}
    {%- do feeds.update({node.name[4:]: {'affects': node.config.meta.affects, 'key': node.config.unique_key}}) -%}
{%- endfor -%}
{%- set links = affected_links(feeds) -%}
with recursive
{% for feed, node in feeds.items() -%}
{%- set affects = node.affects -%}
{%- set columns = [] -%}
{%- for key in affects.get('keys', []) %}{% do columns.append(('case when ' ~ key.when ~ ' then ' ~ key.column ~ ' end' if key.when else key.column) ~ ' as key_' ~ loop.index0) %}{% endfor -%}
{%- for day in affects.get('days', []) %}{% do columns.append(day ~ ' as day_' ~ loop.index0) %}{% endfor -%}
{%- for span in affects.get('spans', []) %}{% do columns.append(span[0] ~ ' as first_' ~ loop.index0) %}{% do columns.append(span[1] ~ ' as last_' ~ loop.index0) %}{% endfor -%}
{%- set columns = columns | join(', ') or 'null as nothing' -%}
{%- set arrived, present = 'arrived.' ~ feed, 'staging.stg_' ~ feed -%}
{%- set same -%}
(select 1 from {{ arrived }} as arrived where {% for key in node.key %}arrived.{{ key }} = present.{{ key }}{{ ' and ' if not loop.last }}{% endfor %})
{%- endset -%}
{%- set keys = node.key | join(', ') -%}
{%- if affects.get('when_changed') is not none %}
changed_{{ feed }} as (
    select {{ keys }}
    from (
        select {{ keys }}, hash({{ affects.when_changed | join(', ') or '0' }}) as content, false as is_withdrawn, true as is_current from {{ present }} as present where exists {{ same }}
        union all
        select {{ keys }}, hash({{ affects.when_changed | join(', ') or '0' }}), is_withdrawn, false from {{ arrived }}
    ) as versions
    group by {{ keys }}
    having not bool_or(is_current) or bool_or(is_withdrawn){{ ' or count(distinct content) > 1 or count(case when is_current then 1 end) > 1' if affects.when_changed }}
),
{% endif -%}
{%- set within = 'where (' ~ keys ~ ') in (select (' ~ keys ~ ') from changed_' ~ feed ~ ')' if affects.get('when_changed') is not none else '' %}
seed_{{ feed }} as (
    select {{ columns }} from {{ arrived }} as arrived {{ within }}
    union all
    select {{ columns }} from {{ present }} as present where exists {{ same }}{{ within | replace('where', ' and') }}
),

row_{{ feed }} as (
    select {{ columns }} from {{ present }}
    union all
    select {{ columns }} from {{ arrived }}
),
{% endfor -%}
{%- for kind in links %}
moved_{{ kind }} as (
    {% set parts = [] -%}
    {%- for feed, node in feeds.items() -%}
    {%- set listed = node.affects.get('keys', []) -%}
    {%- for key in listed if key.key == kind and key.role != 'hangs' -%}
    {%- set at = listed.index(key) -%}
    {%- do parts.append('select key_' ~ at ~ ' as id from seed_' ~ feed ~ ' where key_' ~ at ~ ' is not null') -%}
    {%- for other in listed if key.role == 'both' and other.key != kind and other.role != 'moves' -%}
    {%- set on = listed.index(other) -%}
    {%- do parts.append('select key_' ~ at ~ ' from row_' ~ feed ~ ' where key_' ~ at ~ ' is not null and key_' ~ on ~ ' in (select id from reached_' ~ other.key ~ ')') -%}
    {%- endfor -%}
    {%- endfor -%}
    {%- endfor -%}
    {{ parts | join('\n    union\n    ') or 'select cast(null as varchar) as id where false' }}
),
{% if links[kind] %}
link_{{ kind }} as (
    {% for feed, one, other in links[kind] -%}
    select key_{{ one }} as id, key_{{ other }} as other_id from row_{{ feed }} where key_{{ one }} is not null and key_{{ other }} is not null
    union all
    select key_{{ other }}, key_{{ one }} from row_{{ feed }} where key_{{ one }} is not null and key_{{ other }} is not null
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),
{% endif %}
reached_{{ kind }} as (
    select id from moved_{{ kind }}
    {%- if links[kind] %}
    union
    select link.other_id from reached_{{ kind }} as reached inner join link_{{ kind }} as link on reached.id = link.id
    {%- endif %}
),
{% endfor %}
{%- set days = [] -%}
{%- for feed, node in feeds.items() -%}
{%- set affects = node.affects -%}
{%- if affects.get('days') or affects.get('spans') %}
hit_{{ feed }} as (
    select * from seed_{{ feed }}
    {%- for key in affects.get('keys', []) if key.role != 'moves' %}
    union all
    select * from row_{{ feed }} where key_{{ affects["keys"].index(key) }} in (select id from reached_{{ key.key }})
    {%- endfor %}
),
{% for day in affects.get('days', []) %}{% do days.append('select distinct cast(day_' ~ loop.index0 ~ ' as timestamptz) as instant from hit_' ~ feed) %}{% endfor -%}
{% endif -%}
{%- endfor %}
instants as (
    {{ days | join('\n    union\n    ') }}
)

select distinct {{ business_date('instants.instant', 'parameters.company_time_zone') }} as day
from instants cross join {{ source('lake', 'run_parameters') }} as parameters
where instants.instant is not null
{%- for feed, node in feeds.items() -%}
{%- for span in node.affects.get('spans', []) %}
union
select distinct cast(unnest(generate_series(cast(first_{{ loop.index0 }} as timestamp), cast(last_{{ loop.index0 }} as timestamp), interval 1 day)) as date) from hit_{{ feed }}
{%- endfor -%}
{%- endfor -%}
{%- endmacro %}
