-- One row a customer without a tag account:X, whose account another system delivers. A tag b2b or household says the kind.
with tags as (
    select
        customer_id,
        bool_or(value like 'account:_%') as is_of_another_system,
        min(value) filter (where value in ('b2b', 'household')) as account_kind
    from customer_tag
    group by customer_id
)

select
    source.record_number,
    source.id as account_id,
    nullif(trim(concat_ws(' ', source.first_name, source.last_name)), '') as account_name,
    coalesce(tags.account_kind, 'b2c') as account_kind,
    source.created_at,
    source.updated_at as source_updated_at
from source
left join tags on source.id = tags.customer_id
where source.id is not null and tags.is_of_another_system is not true
