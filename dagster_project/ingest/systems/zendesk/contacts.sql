-- One row an end user; agents and admins are in agents.sql. A user without an organisation is the contact of their own account.
with tags as (
    select
        user_id,
        max(substr(tag, 6)) filter (where tag like 'role\_%' escape '\') as role,
        bool_or(tag = 'shared_mailbox') as is_shared_mailbox
    from user_tag
    group by user_id
)

select
    source.record_number,
    coalesce(source.external_id, source.id) as contact_id,
    coalesce(organization.external_id, source.organization_id, source.external_id, source.id) as account_id,
    source.email as email_hash,
    source.phone as phone_hash,
    tags.role,
    tags.is_shared_mailbox,
    source.updated_at as source_updated_at,
    coalesce(lower(source.active) = 'false' or lower(source._fivetran_deleted) = 'true', false) as is_deleted
from source
left join tags on source.id = tags.user_id
left join organization on source.organization_id = organization.id
where coalesce(source.role, 'end-user') not in ('agent', 'admin')
