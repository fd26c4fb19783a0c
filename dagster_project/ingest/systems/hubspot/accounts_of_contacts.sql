-- One row a contact without a company: such a customer is an account of their own.
select
    record_number,
    id as account_id,
    'b2c' as account_kind,
    case
        when property_lifecyclestage in ('lead', 'subscriber', 'marketingqualifiedlead', 'salesqualifiedlead', 'opportunity') then 'prospect'
        when property_lifecyclestage in ('customer', 'evangelist') then 'active'
    end as lifecycle_state,
    property_createdate as created_at,
    coalesce(property_lastmodifieddate, property_createdate) as source_updated_at,
    lower(_fivetran_deleted) = 'true' as is_deleted
from source
where property_associatedcompanyid is null
