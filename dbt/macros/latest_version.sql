{# The latest version of each key of each source system: by change_number, then source_updated_at (missing first), delivery date, place of
   the file, record number. A key whose latest version is withdrawn is not there. Two columns are added: `is_overruled`, another system
   has a later row about the same key of the company; `is_id_shared`, the same id is a key of other systems too (see `left_join_named`).
   A full build reads all of the lake. A later one reads what arrived since and the current rows of these ids, and replaces those.
   Only keys that came more than once are sorted; a sort of every row costs as much as the rest of staging. #}
{% macro latest_version(feed, keys) -%}
{{ config(unique_key=keys) }}
{# Staging waits until the days of the rows that it replaces are known; unit tests have no such model. #}
{%- if not execute %}{% do ref('int_core__affected_day') %}{% endif -%}
{%- set arrived = source('arrived', feed) -%}
{%- set versions = 'pool' if is_incremental() else arrived -%}
{%- set in_repeated -%}
exists (select 1 from repeated where {% for key in keys %}repeated.{{ key }} = feed.{{ key }}{{ ' and ' if not loop.last }}{% endfor %})
{%- endset -%}
{%- set among_systems -%}
cast(row_number() over (
        partition by latest.key_scope, {% for key in keys %}latest.{{ key }}{{ ', ' if not loop.last }}{% endfor %}
        order by latest.source_updated_at desc nulls last, latest.delivery_date desc, latest.source_system desc
    ) as bigint)
{%- endset -%}
with {% if is_incremental() %}pool as (
    select feed.* from {{ arrived }} as feed
    union all by name
    select present.* exclude (is_overruled, is_id_shared)
    from {{ this }} as present
    where exists (select 1 from {{ arrived }} as feed where {% for key in keys %}feed.{{ key }} = present.{{ key }}{{ ' and ' if not loop.last }}{% endfor %})
),

{% endif %}repeated as (
    select {{ keys | join(', ') }}
    from {{ versions }}
    group by {{ keys | join(', ') }}
    having count(*) > 1
),

latest as (
    select feed.*
    from {{ versions }} as feed
    where {{ in_repeated }}
    qualify row_number() over (
        partition by feed.source_system, {% for key in keys %}feed.{{ key }}{{ ', ' if not loop.last }}{% endfor %}
        order by
            feed.change_number desc, feed.source_updated_at desc nulls last, feed.delivery_date desc, feed.file_order desc, feed.record_number desc nulls last
    ) = 1
)

select feed.*, false as is_overruled, false as is_id_shared
from {{ versions }} as feed
where not feed.is_withdrawn and not {{ in_repeated }}
union all
select
    latest.*,
    {{ among_systems }} > 1 as is_overruled,
    min(latest.key_scope) over (partition by {% for key in keys %}latest.{{ key }}{{ ', ' if not loop.last }}{% endfor %})
    <> max(latest.key_scope) over (partition by {% for key in keys %}latest.{{ key }}{{ ', ' if not loop.last }}{% endfor %}) as is_id_shared
from latest
where not latest.is_withdrawn
{%- endmacro %}
