-- One row a line of a bill, a purchase (cash, cheque or card) or a vendor's credit that books a cost, in the month of its document; a card
-- refund and a credit lower it. Goods bring the expense account of their item. The three streams of lines share this SELECT: each has
-- one of the columns bill_id, purchase_id, vendor_credit_id. A line waits for its document and goes with it.
with lines as (
    select
        source.record_number,
        source.index,
        source.amount,
        coalesce(source.account_expense_class_id, source.item_expense_class_id) as class_id,
        coalesce(source.account_expense_account_id, source.item_expense_item_id) is null and coalesce(try_cast(source.amount as double), 0) = 0 as is_remark,
        case
            when bill.id is not null then 'bill-' || bill.id
            when purchase.id is not null then 'purchase-' || purchase.id
            else 'vendor_credit-' || vendor_credit.id
        end as journal_id,
        case when vendor_credit.id is not null or lower(purchase.credit) = 'true' then -1 else 1 end as direction,
        coalesce(bill.created_at, purchase.created_at, vendor_credit.created_at) as created_at,
        coalesce(bill.currency_id, purchase.currency_id, vendor_credit.currency_id) as currency_id,
        coalesce(bill.exchange_rate, purchase.exchange_rate, vendor_credit.exchange_rate) as exchange_rate,
        coalesce(bill.transaction_date, purchase.transaction_date, vendor_credit.transaction_date) as transaction_date,
        coalesce(bill.updated_at, purchase.updated_at, vendor_credit.updated_at) as updated_at,
        coalesce(account.account_number, account.id) as gl_account,
        account.account_type,
        account.currency_id as home_currency,
        case when account.account_sub_type in ('people', 'it', 'facilities', 'other') then account.account_sub_type end as sub_type,
        nullif(department.name, 'shared') as department,
        case when contains(department.fully_qualified_name, ':') then split_part(department.fully_qualified_name, ':', 1) end as site,
        vendor.display_name as vendor
    from source
    left join bill on source.bill_id = bill.id
    left join purchase on source.purchase_id = purchase.id
    left join vendor_credit on source.vendor_credit_id = vendor_credit.id
    left join item on source.item_expense_item_id = item.id
    left join account on coalesce(source.account_expense_account_id, item.expense_account_id) = account.id
    left join department on coalesce(bill.department_id, purchase.department_id, vendor_credit.department_id) = department.id
    left join vendor on coalesce(bill.vendor_id, purchase.vendor_id, vendor_credit.vendor_id) = vendor.id
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
    journal_id,
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
    (try_cast(amount as decimal(18, 3)) * direction)::decimal(18, 3) as ledger_amount,
    currency_id as currency_code,
    case when coalesce(currency_id <> home_currency, true) and try_cast(exchange_rate as decimal(18, 8)) not in (0, 1) then exchange_rate end as document_exchange_rate,
    home_currency as home_currency_code,
    cost_behaviour,
    traceability,
    recurrence,
    coalesce(in_scope, 'true') as is_in_scope,
    scope_reason,
    vendor,
    updated_at as source_updated_at,
    case
        when is_remark then 'remark without amount and account'
        when cost_category is null and account_type not in ('Expense', 'Other Expense') then 'account of type ' || account_type || ' carries no cost'
    end as left_out
from mapped
