{# The latest version of each key of a feed: by source_updated_at (missing first), then delivery date, then row hash.
   A full build reads all of the lake, a later one only what arrived since, and keeps of it what beats the row that stands.
   Only keys that came more than once are sorted; a sort of every row costs as much as the rest of staging.
   A feed that no model reads says 'lake': a view over all of it, which only a full build makes. #}
{% macro latest_version(feed, keys, schema='arrived') -%}
{{ config(unique_key=keys) if schema == 'arrived' else config(materialized='view') }}
with repeated as (
    select {{ keys | join(', ') }}
    from {{ source(schema, feed) }}
    group by {{ keys | join(', ') }}
    having count(*) > 1
),

versions as (
    select feed.*
    from {{ source(schema, feed) }} as feed
    where not exists (select 1 from repeated where {% for key in keys %}repeated.{{ key }} = feed.{{ key }}{{ ' and ' if not loop.last }}{% endfor %})
    union all
    select feed.*
    from {{ source(schema, feed) }} as feed
    where exists (select 1 from repeated where {% for key in keys %}repeated.{{ key }} = feed.{{ key }}{{ ' and ' if not loop.last }}{% endfor %})
    qualify row_number() over (
        partition by {% for key in keys %}feed.{{ key }}{{ ', ' if not loop.last }}{% endfor %}
        order by feed.source_updated_at desc nulls last, feed.delivery_date desc, feed.row_hash desc
    ) = 1
)

select versions.* from versions
{%- if is_incremental() %}
where not exists (
    select 1
    from {{ this }} as standing
    where
        {% for key in keys %}standing.{{ key }} = versions.{{ key }} and {% endfor %}
        (
            coalesce(standing.source_updated_at, timestamptz '-infinity'), standing.delivery_date, standing.row_hash
        ) >= (
            coalesce(versions.source_updated_at, timestamptz '-infinity'), versions.delivery_date, versions.row_hash
        )
)
{%- endif %}
{%- endmacro %}
