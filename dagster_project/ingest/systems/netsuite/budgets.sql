-- One row a budgeted amount of an account in a period. A budget category is one version a year, in force from the first day of the
-- year; its name may begin with draft or restated. A line without its period, account or subsidiary is quarantined.
with lines as (
    select
        source.*,
        coalesce(budget_category.name, source.category_id, 'budget') as category,
        budget_category.date_last_modified,
        coalesce(lower(accounting_books.is_primary) in ('true', 'yes', 't', 'y', '1'), source.accounting_book_id is null or source.accounting_book_id = '1') as is_primary_book,
        coalesce(year.starting, period.starting) as year_start,
        strftime(try_cast(period.starting as date) + ((try_cast(period.ending as date) - try_cast(period.starting as date)) // 2)::integer, '%Y-%m') as fiscal_period,
        coalesce(accounts.account_number, accounts.account_id) as gl_account,
        accounts.type_name,
        departments.name as department,
        classes.full_name as class,
        subsidiaries.name as subsidiary,
        currencies.symbol as currency_code
    from source
    left join budget_category on source.category_id = budget_category.budget_category_id
    left join accounting_periods as period on source.accounting_period_id = period.accounting_period_id
    left join accounting_periods as year on period.year_id = year.accounting_period_id
    left join accounts on source.account_id = accounts.account_id
    left join departments on source.department_id = departments.department_id
    left join classes on source.class_id = classes.class_id
    left join subsidiaries on source.subsidiary_id = subsidiaries.subsidiary_id
    left join accounting_books on source.accounting_book_id = accounting_books.accounting_book_id
    left join currencies on subsidiaries.base_currency_id = currencies.currency_id
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
    category || ' ' || left(year_start, 4) as budget_version_id,
    case when category ilike 'draft%' then 'draft' when category ilike 'restated%' then 'restated' else 'approved' end as version_state,
    coalesce(case when category ilike 'restated%' then date_last_modified end, year_start) as version_effective_at,
    budget_id as line_id,
    subsidiary as legal_entity,
    coalesce(class, department, 'unassigned') as cost_centre,
    department as department_id,
    location_id as site_id,
    fiscal_period,
    gl_account,
    coalesce(cost_category, 'other') as cost_category,
    coalesce(pool_id, 'unmapped') as pool_id,
    amount as budget_amount,
    currency_code,
    cost_behaviour,
    traceability,
    recurrence,
    coalesce(in_scope, 'true') as is_in_scope,
    scope_reason,
    case
        when not is_primary_book then 'budget of another accounting book'
        when cost_category is null and type_name not in ('Expense', 'Other Expense') then 'account of type ' || type_name || ' carries no cost'
    end as left_out
from mapped
