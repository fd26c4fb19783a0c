-- One row a budget line. FY19-20 is fiscal year FY2020, spread over its months later. Equal rows are real lines (dropping
-- them breaks expense = revenue), so the id is the hash of the row plus its occurrence within the file.
-- Scope: every expense line counts (a city's departments exist to serve residents), a revenue line never does.
-- No account category of the city is information technology by itself; the department of that name keeps its lines under it.
with lines as (
    select
        *,
        trim(regexp_replace(account_category, '\s+', ' ', 'g')) as category,
        left(md5(concat_ws('|', budget_year, department, account_type, fund_code, account_category, amount)), 16) as values_hash
    from source
)

select
    record_number,
    budget_year || '-adopted' as budget_version_id,
    'approved' as version_state,
    strptime('20' || substr(budget_year, 3, 2) || '-07-01', '%Y-%m-%d') as version_effective_at,
    values_hash || '-' || row_number() over (partition by values_hash order by record_number) as line_id,
    'City of Oakland' as legal_entity,
    fund_code as cost_centre,
    department as department_id,
    'FY20' || right(budget_year, 2) as fiscal_period,
    category as gl_account,
    case
        when regexp_matches(category, 'Salaries|Retirement|Fringe|Overtime|Allowances|Personnel') then 'people'
        when category in ('Internal Services & Work Orders', 'Capital Acquistions', 'Debt Payments') then 'facilities'
        else 'other'
    end as cost_category,
    category as pool_id,
    lower(account_type) as line_kind,
    amount as budget_amount,
    'USD' as currency_code,
    case account_type when 'Expense' then 'true' else 'false' end as is_in_scope,
    case when account_type <> 'Expense' then 'revenue line' end as scope_reason
from lines
