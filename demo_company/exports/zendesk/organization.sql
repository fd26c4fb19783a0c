select
    360000000000 + number(account_id) as id,
    synced() as _fivetran_synced,
    plain(created_at) as created_at,
    account_id as external_id,
    account_name as name,
    'closed ' || plain(closed_at) || ': ' || close_reason as notes,
    'FALSE' as shared_comments,
    'FALSE' as shared_tickets,
    plain(source_updated_at) as updated_at,
    'https://demo.zendesk.com/api/v2/organizations/' || (360000000000 + number(account_id)) || '.json' as url
from accounts
order by source_updated_at, account_id
