-- One row a company.
select
    record_number,
    id as account_id,
    property_name as account_name,
    'b2b' as account_kind,
    case
        when property_lifecyclestage in ('lead', 'subscriber', 'marketingqualifiedlead', 'salesqualifiedlead', 'opportunity') then 'prospect'
        when property_lifecyclestage in ('customer', 'evangelist') then 'active'
    end as lifecycle_state,
    property_industry as industry,
    property_country as country_code,
    property_hubspot_owner_id as account_manager_id,
    property_createdate as created_at,
    coalesce(property_hs_lastmodifieddate, property_createdate) as source_updated_at,
    lower(is_deleted) = 'true' as is_deleted
from source
