-- One row a contact without a company: such a customer is an account of their own.
select
    record_number,
    coalesce(unique_external_id, id) as account_id,
    'b2c' as account_kind,
    language as language_code,
    created_at,
    updated_at as source_updated_at,
    lower(deleted) = 'true' as is_deleted
from source
where company_id is null
