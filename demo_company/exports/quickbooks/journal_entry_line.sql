select
    line_number::bigint as index,
    number(journal_id) as journal_entry_id,
    synced() as _fivetran_synced,
    gl_account::bigint as account_id,
    abs(ledger_amount::decimal(18, 2)) as amount,
    cost_centre as class_id,
    name_id(site_id || ':' || coalesce(department_id, 'shared')) as department_id,
    concat_ws(' | ', pool_id, cost_behaviour, traceability, recurrence, scope_reason) as description,
    case when ledger_amount::decimal(18, 2) < 0 then 'Credit' else 'Debit' end as posting_type,
    name_id(vendor) as vendor_id
from ledger_actuals
union all
select
    0,
    number(journal_id),
    synced(),
    200000,
    abs(sum(ledger_amount::decimal(18, 2))),
    null,
    null,
    'payable',
    case when sum(ledger_amount::decimal(18, 2)) < 0 then 'Debit' else 'Credit' end,
    null
from ledger_actuals
group by journal_id
order by journal_entry_id, index
