-- One row a line of a journal that books a cost; debit is positive. Lines on other accounts (the payable against the costs) are
-- excluded. A description "pool | fixed | direct | recurring | reason" names pool and kind of the cost where gl_map does not, the
-- journal's note "ENTITY 2026-10" the legal entity and the fiscal month. A line waits for its journal and goes with it.
with lines as (
    select
        source.*,
        'journal_entry-' || source.journal_entry_id as journal_id,
        source.account_id is null and coalesce(try_cast(source.amount as double), 0) = 0 as is_remark,
        journal_entry.adjustment,
        journal_entry.created_at,
        journal_entry.currency_id,
        journal_entry.exchange_rate,
        journal_entry.transaction_date,
        journal_entry.updated_at,
        regexp_extract(journal_entry.private_note, '^(\S+) (\d{4}-\d{2})$', ['entity', 'period']) as note,
        coalesce(account.account_number, account.id) as gl_account,
        account.account_type,
        account.currency_id as home_currency,
        case when account.account_sub_type in ('people', 'it', 'facilities', 'other') then account.account_sub_type end as sub_type,
        nullif(department.name, 'shared') as department,
        case when contains(department.fully_qualified_name, ':') then split_part(department.fully_qualified_name, ':', 1) end as site,
        vendor.display_name as vendor,
        case when contains(source.description, ' | ') then string_split(source.description, ' | ') end as parts
    from source
    left join journal_entry on source.journal_entry_id = journal_entry.id
    left join account on source.account_id = account.id
    left join department on source.department_id = department.id
    left join vendor on source.vendor_id = vendor.id
),

mapped as (
    select
        lines.*,
        gl_map.cost_category, gl_map.pool_id, gl_map.in_scope, gl_map.scope_reason, gl_map.cost_behaviour, gl_map.traceability, gl_map.recurrence
    from lines
    left join gl_map on lines.gl_account = gl_map.gl_account and coalesce(lines.department = gl_map.department, gl_map.department is null)
    qualify row_number() over (partition by lines.record_number order by gl_map.department nulls last) = 1
),

described as (
    select
        *,
        list_filter(parts, part -> part in ('fixed', 'variable', 'step'))[1] as behaviour,
        list_filter(parts, part -> part in ('direct', 'indirect'))[1] as trace,
        list_filter(parts, part -> part in ('recurring', 'one_off'))[1] as repetition,
        list_filter(parts[2:], part -> part not in ('fixed', 'variable', 'step', 'direct', 'indirect', 'recurring', 'one_off'))[1] as reason
    from mapped
)

select
    record_number,
    journal_id,
    index as line_number,
    coalesce(nullif(note['entity'], ''), 'primary') as legal_entity,
    coalesce(class_id, department, 'unassigned') as cost_centre,
    department as department_id,
    site as site_id,
    coalesce(nullif(note['period'], ''), left(transaction_date, 7)) as fiscal_period,
    created_at as posted_at,
    transaction_date as document_date,
    gl_account,
    coalesce(cost_category, sub_type, 'other') as cost_category,
    coalesce(pool_id, parts[1], 'unmapped') as pool_id,
    (try_cast(amount as decimal(18, 3)) * case posting_type when 'Debit' then 1 when 'Credit' then -1 end)::decimal(18, 3) as ledger_amount,
    currency_id as currency_code,
    case when coalesce(currency_id <> home_currency, true) and try_cast(exchange_rate as decimal(18, 8)) not in (0, 1) then exchange_rate end as document_exchange_rate,
    home_currency as home_currency_code,
    coalesce(cost_behaviour, behaviour) as cost_behaviour,
    coalesce(traceability, trace) as traceability,
    coalesce(recurrence, repetition) as recurrence,
    coalesce(in_scope, case when reason is null then 'true' else 'false' end) as is_in_scope,
    coalesce(scope_reason, reason) as scope_reason,
    adjustment as is_adjustment,
    vendor,
    updated_at as source_updated_at,
    case
        when is_remark then 'remark without amount and account'
        when cost_category is null and account_type not in ('Expense', 'Other Expense') then 'account of type ' || account_type || ' carries no cost'
    end as left_out
from described
