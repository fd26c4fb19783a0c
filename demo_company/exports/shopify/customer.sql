select
    number(account_id) as id,
    account_name as first_name,
    lower(account_id) || '@customers.example' as email,
    case lifecycle_state when 'closed' then 'disabled' else 'enabled' end as state,
    plain(created_at) as created_at,
    plain(source_updated_at) as updated_at,
    'FALSE' as accepts_marketing,
    'FALSE' as tax_exempt,
    'TRUE' as verified_email,
    synced() as _fivetran_synced
from accounts
order by updated_at, id
