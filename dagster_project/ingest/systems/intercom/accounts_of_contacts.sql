-- One row a contact without a company: such a customer is an account of their own; a lead is a prospect.
select
    record_number,
    coalesce(external_id, id) as account_id,
    'b2c' as account_kind,
    case role when 'lead' then 'prospect' end as lifecycle_state,
    location_country as country_code,
    created_at,
    updated_at as source_updated_at
from source
where not exists (select 1 from contact_company_history as companies where companies.contact_id = source.id)
