-- One row a contact that was merged into another one: its account is that of the surviving contact. property_hs_calculated_merged_vids gives the moments too
-- (number:milliseconds;…); without it property_hs_merged_object_ids gives the numbers, and the surviving contact's last change is the moment.
with losers as (
    select
        record_number,
        id,
        property_associatedcompanyid,
        unnest(string_split(coalesce(property_hs_calculated_merged_vids, property_hs_merged_object_ids), ';')) as loser,
        coalesce(property_lastmodifieddate, property_createdate) as changed_at
    from source
)

select
    record_number,
    trim(split_part(loser, ':', 1)) as from_account_id,
    coalesce(
        make_timestamp(try_cast(nullif(split_part(loser, ':', 2), '') as bigint) * 1000),
        try_cast(changed_at as timestamp)
    ) as merged_at,
    coalesce(property_associatedcompanyid, id) as to_account_id,
    changed_at as source_updated_at
from losers
where trim(split_part(loser, ':', 1)) not in ('', id)
