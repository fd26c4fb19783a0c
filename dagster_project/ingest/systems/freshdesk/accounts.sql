-- One row a company.
select
    record_number,
    id as account_id,
    name as account_name,
    'b2b' as account_kind,
    industry,
    account_tier as segment,
    created_at,
    updated_at as source_updated_at
from source
