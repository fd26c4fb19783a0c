select
    name_id(vendor) as id,
    synced() as _fivetran_synced,
    'TRUE' as active,
    vendor as company_name,
    min(currency_code) as currency_id,
    vendor as display_name,
    'FALSE' as _fivetran_deleted
from ledger_actuals
where vendor is not null
group by vendor
order by company_name
