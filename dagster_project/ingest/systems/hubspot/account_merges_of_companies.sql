-- One row a company that was merged into another one.
with losers as (
    select
        record_number,
        id,
        trim(unnest(string_split(property_hs_merged_object_ids, ';'))) as loser,
        coalesce(property_hs_lastmodifieddate, property_createdate) as changed_at
    from source
)

select
    record_number,
    loser as from_account_id,
    changed_at as merged_at,
    id as to_account_id,
    changed_at as source_updated_at
from losers
where loser not in ('', id)
