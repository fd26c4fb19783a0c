-- One row a customer: a person or company that pays. The metadata key account_id says to which account of another system it
-- belongs; without it the customer is an account of its own.
select
    record_number,
    id as contact_id,
    coalesce(case when json_valid(metadata) then nullif(metadata ->> '$.account_id', '') end, id) as account_id,
    email as email_hash,
    phone as phone_hash,
    is_deleted
from source
