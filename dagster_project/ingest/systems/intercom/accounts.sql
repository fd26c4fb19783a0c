-- One row a company, known by the number the company itself gave it (company_id).
select
    record_number,
    coalesce(company_id, id) as account_id,
    name as account_name,
    'b2b' as account_kind,
    industry,
    created_at,
    updated_at as source_updated_at
from source
