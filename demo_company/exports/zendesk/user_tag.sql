select distinct
    unnest(['role_' || role] || case when is_shared_mailbox = 'true' then ['shared_mailbox'] else [] end) as tag,
    390000000000 + number(contact_id) as user_id,
    synced() as _fivetran_synced
from contacts
order by user_id, tag
