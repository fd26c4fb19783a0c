-- One row an end user without an organisation: such a customer is an account of their own.
select
    record_number,
    coalesce(external_id, id) as account_id,
    'b2c' as account_kind,
    created_at,
    updated_at as source_updated_at,
    coalesce(lower(active) = 'false' or lower(_fivetran_deleted) = 'true', false) as is_deleted
from source
where organization_id is null and coalesce(role, 'end-user') not in ('agent', 'admin')
