-- One row a customer whose account no other system delivers (no metadata key account_id).
select
    record_number,
    id as account_id,
    name as account_name,
    created as created_at,
    is_deleted
from source
where id is not null and case when json_valid(metadata) then nullif(metadata ->> '$.account_id', '') end is null
