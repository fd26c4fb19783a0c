-- One row a line of a purchase (cash, cheque or card) that books a cost; a card refund lowers it. Goods bring the expense account
-- of their item. A line without its purchase or account is quarantined.
with lines as (
    select
        source.record_number,
        source.index,
        source.amount,
        coalesce(source.account_expense_class_id, source.item_expense_class_id) as class_id,
        purchase.id,
        purchase._fivetran_deleted,
        purchase.created_at,
        purchase.credit,
        purchase.currency_id,
        purchase.transaction_date,
        purchase.updated_at,
        coalesce(account.account_number, account.id) as gl_account,
        account.account_type,
        case when account.account_sub_type in ('people', 'it', 'facilities', 'other') then account.account_sub_type end as sub_type,
        nullif(department.name, 'shared') as department,
        case when contains(department.fully_qualified_name, ':') then split_part(department.fully_qualified_name, ':', 1) end as site,
        vendor.display_name as vendor
    from source
    left join purchase on source.purchase_id = purchase.id
    left join item on source.item_expense_item_id = item.id
    left join account on coalesce(source.account_expense_account_id, item.expense_account_id) = account.id
    left join department on purchase.department_id = department.id
    left join vendor on purchase.vendor_id = vendor.id
),

mapped as (
    select
        lines.*,
        gl_map.cost_category, gl_map.pool_id, gl_map.in_scope, gl_map.scope_reason, gl_map.cost_behaviour, gl_map.traceability, gl_map.recurrence
    from lines
    left join gl_map on lines.gl_account = gl_map.gl_account and coalesce(lines.department = gl_map.department, gl_map.department is null)
    qualify row_number() over (partition by lines.record_number order by gl_map.department nulls last) = 1
)

select
    record_number,
    'purchase-' || id as journal_id,
    index as line_number,
    'primary' as legal_entity,
    coalesce(class_id, department, 'unassigned') as cost_centre,
    department as department_id,
    site as site_id,
    left(coalesce(transaction_date, created_at), 7) as fiscal_period,
    created_at as posted_at,
    transaction_date as document_date,
    gl_account,
    coalesce(cost_category, sub_type, 'other') as cost_category,
    coalesce(pool_id, 'unmapped') as pool_id,
    (try_cast(amount as decimal(18, 2)) * case when lower(credit) = 'true' then -1 else 1 end)::decimal(18, 2) as ledger_amount,
    currency_id as currency_code,
    cost_behaviour,
    traceability,
    recurrence,
    coalesce(in_scope, 'true') as is_in_scope,
    scope_reason,
    vendor,
    updated_at as source_updated_at,
    _fivetran_deleted as is_deleted,
    case
        when cost_category is null and account_type not in ('Expense', 'Other Expense') then 'account of type ' || account_type || ' carries no cost'
    end as left_out
from mapped
