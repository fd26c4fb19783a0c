-- One row a contact.
select
    record_number,
    id as contact_id,
    coalesce(property_associatedcompanyid, id) as account_id,
    property_email as email_hash,
    property_phone as phone_hash,
    coalesce(property_lastmodifieddate, property_createdate) as source_updated_at,
    lower(_fivetran_deleted) = 'true' as is_deleted
from source
