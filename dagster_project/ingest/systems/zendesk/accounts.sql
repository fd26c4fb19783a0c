-- One row an organisation, known by the company's own number (external_id) where it has one. What Zendesk has no column for comes from tags:
-- kind_, state_, segment_, country_, currency_, language_; a note `closed <instant>: <reason>` closes the account.
with tags as (
    select
        organization_id,
        max(substr(tag, 6)) filter (where tag in ('kind_b2b', 'kind_b2c', 'kind_household')) as kind,
        max(substr(tag, 7)) filter (where tag in ('state_prospect', 'state_active', 'state_lapsed', 'state_closed')) as state,
        max(substr(tag, 9)) filter (where tag like 'segment\_%' escape '\') as segment,
        max(upper(substr(tag, 9))) filter (where tag like 'country\_%' escape '\') as country,
        max(upper(substr(tag, 10))) filter (where regexp_full_match(tag, 'currency_[a-z]{3}')) as currency,
        max(substr(tag, 10)) filter (where tag like 'language\_%' escape '\') as language
    from organization_tag
    group by organization_id
)

select
    source.record_number,
    coalesce(source.external_id, source.id) as account_id,
    source.name as account_name,
    coalesce(tags.kind, 'b2b') as account_kind,
    tags.state as lifecycle_state,
    tags.segment,
    tags.country as country_code,
    tags.currency as currency_code,
    tags.language as language_code,
    source.created_at,
    try_cast(nullif(regexp_extract(source.notes, '^closed (\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d)', 1), '') as timestamp) as closed_at,
    nullif(regexp_extract(source.notes, '^closed \d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?Z?: (.+)$', 1), '') as close_reason,
    source.updated_at as source_updated_at,
    lower(source._fivetran_deleted) = 'true' as is_deleted
from source
left join tags on source.id = tags.organization_id
