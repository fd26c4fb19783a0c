select distinct
    360000000000 + number(account_id) as organization_id,
    unnest([
        'kind_' || account_kind, 'state_' || lifecycle_state, 'segment_' || segment, 'country_' || lower(country_code),
        'currency_' || lower(currency_code), 'language_' || language_code
    ]) as tag,
    synced() as _fivetran_synced
from accounts
order by all
