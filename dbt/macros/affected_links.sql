{# The kinds of keys in an order in which each comes after those whose rows pass it on, with the chains of the kind to itself:
   feed and the numbers of the two keys. A circle of kinds cannot be ordered. #}
{% macro affected_links(feeds) -%}
{%- set before, links = {}, {} -%}
{%- for feed, node in feeds.items() -%}
    {%- set listed = node.affects.get('keys', []) -%}
    {%- for key in listed -%}
        {%- if key.role not in ['hangs', 'moves', 'hangs_moves', 'both'] -%}{{ exceptions.raise_compiler_error('stg_' ~ feed ~ ': affects: unknown role ' ~ key.role ~ ' of ' ~ key.column ~ '; known: hangs, moves, hangs_moves, both') }}{%- endif -%}
        {%- do before.setdefault(key.key, []) -%}
        {%- do links.setdefault(key.key, []) -%}
        {%- for other in listed if key.role == 'both' -%}
            {%- if other.key != key.key and other.role != 'moves' -%}{%- do before[key.key].append(other.key) -%}{%- endif -%}
            {%- if other.key == key.key and other.role == 'both' and listed.index(other) > listed.index(key) -%}{%- do links[key.key].append([feed, listed.index(key), listed.index(other)]) -%}{%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
{%- endfor -%}
{%- set ordered = {} -%}
{%- for _ in before -%}
    {%- for kind, earlier in before.items() if kind not in ordered and (earlier | reject('in', ordered) | list | length) == 0 -%}{%- do ordered.update({kind: links[kind]}) -%}{%- endfor -%}
{%- endfor -%}
{%- if ordered | length < before | length -%}{{ exceptions.raise_compiler_error('affects: these kinds of keys pass each other on in a circle: ' ~ (before.keys() | reject('in', ordered) | join(', '))) }}{%- endif -%}
{{ return(ordered) }}
{%- endmacro %}
