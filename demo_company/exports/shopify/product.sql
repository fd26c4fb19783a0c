select distinct
    number(product_id) as id,
    'Product ' || number(product_id) as title,
    lower(product_id) as handle,
    product_family as product_type,
    'demo' as vendor,
    'web' as published_scope,
    'FALSE' as _fivetran_deleted,
    synced() as _fivetran_synced
from order_lines
where product_id is not null
order by id
