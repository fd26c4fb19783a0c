-- One row a merge of contacts as exports before 2023 list them: the account of the loser is that of the surviving contact.
select
    source.record_number,
    source.vid_to_merge as from_account_id,
    source.timestamp as merged_at,
    coalesce(surviving.property_associatedcompanyid, source.canonical_vid) as to_account_id,
    source.timestamp as source_updated_at
from source
left join contact as surviving on source.canonical_vid = surviving.id
