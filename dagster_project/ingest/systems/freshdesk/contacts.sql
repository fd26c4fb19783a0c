-- One row a contact, known by the company's own number (unique_external_id) where it has one.
select
    record_number,
    coalesce(unique_external_id, id) as contact_id,
    coalesce(company_id, unique_external_id, id) as account_id,
    email as email_hash,
    coalesce(phone, mobile) as phone_hash,
    updated_at as source_updated_at,
    lower(deleted) = 'true' as is_deleted
from source
