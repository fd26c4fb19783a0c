select place as index, customer_id, synced() as _fivetran_synced, tag as value
from (
    select distinct number(account_id) as customer_id, unnest([0, 1]) as place, unnest(['account:' || account_id, account_kind]) as tag
    from accounts
)
order by customer_id, place
