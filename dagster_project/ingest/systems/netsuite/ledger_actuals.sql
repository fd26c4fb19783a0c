-- One row a posted line on a cost account, in the currency of its subsidiary; debit is positive. Lines that do not post, and lines on
-- other accounts, and those of other books than the primary one (number 1, unless accounting_books says otherwise) are excluded. A line
-- waits for its transaction and goes with it; one without its period, account or subsidiary is quarantined.
with lines as (
    select
        source.*,
        transactions.transaction_id as journal_id,
        transactions.transaction_date,
        coalesce(transactions.create_date, transactions.transaction_date) as posted_at,
        transactions.date_last_modified,
        coalesce(lower(accounting_books.is_primary) in ('true', 'yes', 't', 'y', '1'), source.accounting_book_id is null or source.accounting_book_id = '1') as is_primary_book,
        -- the middle of a period is in its month, whatever the calendar
        strftime(try_cast(period.starting as date) + ((try_cast(period.ending as date) - try_cast(period.starting as date)) // 2)::integer, '%Y-%m') as fiscal_period,
        period.is_adjustment,
        coalesce(accounts.account_number, accounts.account_id) as gl_account,
        accounts.type_name,
        departments.name as department,
        classes.full_name as class,
        subsidiaries.name as subsidiary,
        currencies.symbol as currency_code,
        vendors.company_name as vendor
    from source
    left join transactions on source.transaction_id = transactions.transaction_id
    left join accounting_periods as period on transactions.accounting_period_id = period.accounting_period_id
    left join accounts on source.account_id = accounts.account_id
    left join departments on source.department_id = departments.department_id
    left join classes on source.class_id = classes.class_id
    left join subsidiaries on source.subsidiary_id = subsidiaries.subsidiary_id
    left join currencies on coalesce(subsidiaries.base_currency_id, transactions.currency_id) = currencies.currency_id
    left join accounting_books on source.accounting_book_id = accounting_books.accounting_book_id
    left join vendors on source.company_id = vendors.vendor_id
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
    transaction_line_id as line_number,
    subsidiary as legal_entity,
    coalesce(class, department, 'unassigned') as cost_centre,
    department as department_id,
    location_id as site_id,
    fiscal_period,
    posted_at,
    left(transaction_date, 10) as document_date,
    gl_account,
    coalesce(cost_category, 'other') as cost_category,
    coalesce(pool_id, 'unmapped') as pool_id,
    amount as ledger_amount,
    currency_code,
    cost_behaviour,
    traceability,
    recurrence,
    coalesce(in_scope, 'true') as is_in_scope,
    scope_reason,
    is_adjustment,
    vendor,
    date_last_modified as source_updated_at,
    case
        when not is_primary_book then 'line of another accounting book'
        when account_id is null and coalesce(try_cast(amount as double), 0) = 0 then 'remark without amount and account'
        when lower(non_posting_line) = 'yes' then 'line that does not post'
        when cost_category is null and type_name not in ('Expense', 'Other Expense') then 'account of type ' || type_name || ' carries no cost'
    end as left_out
from mapped
