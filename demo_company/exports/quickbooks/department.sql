select distinct
    name_id(site_id || ':' || coalesce(department_id, 'shared')) as id,
    synced() as _fivetran_synced,
    'TRUE' as active,
    site_id || ':' || coalesce(department_id, 'shared') as fully_qualified_name,
    coalesce(department_id, 'shared') as name,
    'TRUE' as sub_department,
    'FALSE' as _fivetran_deleted
from ledger_actuals
order by fully_qualified_name
