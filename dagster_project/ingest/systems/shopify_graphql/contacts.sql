-- One row a customer: a person under whom orders are placed. A tag account:X says that the person belongs to the account X of
-- another system; without it the person is an account of its own.
with account_tags as (
    select customer_id, min(substr(value, 9)) as account_id
    from customer_tag
    where value like 'account:_%'
    group by customer_id
)

select
    source.record_number,
    source.id as contact_id,
    coalesce(account_tags.account_id, source.id) as account_id,
    source.email as email_hash,
    source.phone as phone_hash,
    source.updated_at as source_updated_at
from source
left join account_tags on source.id = account_tags.customer_id
