select
    gl_account::bigint as id,
    synced() as _fivetran_synced,
    gl_account as account_number,
    cost_category as account_sub_type,
    'Expense' as account_type,
    'TRUE' as active,
    'Expense' as classification,
    min(currency_code) as currency_id,
    gl_account || ' ' || cost_category as fully_qualified_name,
    gl_account || ' ' || cost_category as name,
    'FALSE' as sub_account,
    'FALSE' as _fivetran_deleted
from ledger_actuals
group by gl_account, cost_category
union all
select 200000, synced(), '200000', 'AccountsPayable', 'Accounts Payable', 'TRUE', 'Liability', min(currency_code), '200000 payables', '200000 payables', 'FALSE', 'FALSE'
from ledger_actuals
having count(*) > 0
order by id, account_sub_type
