select
    number(journal_id) as id,
    'FALSE' as _fivetran_deleted,
    synced() as _fivetran_synced,
    'FALSE' as adjustment,
    plain(min(posted_at)) as created_at,
    min(currency_code) as currency_id,
    journal_id as doc_number,
    '1.0' as exchange_rate,
    legal_entity || ' ' || fiscal_period as private_note,
    sum(abs(ledger_amount::decimal(18, 2))) as total_amount,
    min(document_date) as transaction_date,
    plain(max(source_updated_at)) as updated_at
from ledger_actuals
group by journal_id, legal_entity, fiscal_period
order by id
