-- One row a budgeted amount of an account in a month. A budget is one version, in force from its first day; its name may begin with
-- draft or restated. A line waits for its budget and goes with it.
with lines as (
    select
        source.*,
        budget.name as budget_name,
        budget.start_date,
        budget.created_at,
        budget.updated_at,
        budget.active,
        coalesce(budget.currency_id, account.currency_id) as currency,
        coalesce(account.account_number, account.id) as gl_account,
        account.account_type,
        case when account.account_sub_type in ('people', 'it', 'facilities', 'other') then account.account_sub_type end as sub_type,
        nullif(department.name, 'shared') as department,
        case when contains(department.fully_qualified_name, ':') then split_part(department.fully_qualified_name, ':', 1) end as site
    from source
    left join budget on source.budget_id = budget.id
    left join account on source.account_id = account.id
    left join department on source.department_id = department.id
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
    budget_name as budget_version_id,
    case
        when lower(active) = 'false' or budget_name ilike 'draft%' then 'draft' when budget_name ilike 'restated%' then 'restated' else 'approved'
    end as version_state,
    coalesce(case when budget_name ilike 'restated%' then created_at end, start_date) as version_effective_at,
    budget_id || '-' || index as line_id,
    'primary' as legal_entity,
    coalesce(class_id, department, 'unassigned') as cost_centre,
    department as department_id,
    site as site_id,
    left(budget_date, 7) as fiscal_period,
    gl_account,
    coalesce(cost_category, sub_type, 'other') as cost_category,
    coalesce(pool_id, 'unmapped') as pool_id,
    amount as budget_amount,
    currency as currency_code,
    cost_behaviour,
    traceability,
    recurrence,
    coalesce(in_scope, 'true') as is_in_scope,
    scope_reason,
    updated_at as source_updated_at,
    case
        when cost_category is null and account_type not in ('Expense', 'Other Expense') then 'account of type ' || account_type || ' carries no cost'
    end as left_out
from mapped
