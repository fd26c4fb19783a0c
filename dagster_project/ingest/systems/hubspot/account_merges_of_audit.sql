-- One row a merge of contacts as exports before 2023 list them: the account of the loser is that of the survivor.
select
    source.record_number,
    source.vid_to_merge as from_account_id,
    source.timestamp as merged_at,
    coalesce(survivor.property_associatedcompanyid, source.canonical_vid) as to_account_id,
    source.timestamp as source_updated_at
from source
left join contact as survivor on source.canonical_vid = survivor.id
