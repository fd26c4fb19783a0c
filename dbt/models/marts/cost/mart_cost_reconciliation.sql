{{ config(materialized='monthly') }}

with lines as (
    select *
    from {{ rows_of('int_cost__line_placed') }} as lines
    where is_counted
),

by_line as (
    select
        allocated.cost_line_number,
        sum(case when objects.account_id not in ('UNALLOCATED', 'NON_CUSTOMER') then allocated.cost_minor else 0 end) as allocated_minor,
        sum(case when objects.account_id = 'UNALLOCATED' then allocated.cost_minor else 0 end) as unallocated_minor,
        sum(case when objects.account_id = 'NON_CUSTOMER' then allocated.cost_minor else 0 end) as non_customer_minor
    from {{ rows_of('int_cost__object_allocated') }} as allocated
    inner join {{ rows_of('int_cost__object_weighted') }} as objects on allocated.object_number = objects.object_number
    group by allocated.cost_line_number
),

summed as (
    select
        lines.period_month,
        lines.legal_entity,
        lines.cost_category,
        lines.pool_id,
        max(lines.driver) as driver,
        lines.currency_code,
        cast(coalesce(sum(lines.cost_amount), 0) as decimal(18, 3)) as ledger_amount,
        cast(coalesce(sum(case when lines.is_in_scope then 0 else lines.cost_amount end), 0) as decimal(18, 3)) as out_of_scope_amount,
        cast(coalesce(sum(case when lines.is_in_scope and lines.is_capex then lines.cost_amount end), 0) as decimal(18, 3)) as capex_amount,
        {{ amount_of('coalesce(sum(by_line.allocated_minor), 0)', 'max(lines.currency_decimals)') }} as allocated_amount,
        {{ amount_of('coalesce(sum(by_line.unallocated_minor), 0)', 'max(lines.currency_decimals)') }} as unallocated_amount,
        {{ amount_of('coalesce(sum(by_line.non_customer_minor), 0)', 'max(lines.currency_decimals)') }} as non_customer_amount,
        -- Full absorption leaves nothing unused; the line is kept for the capacity view.
        cast(0 as decimal(18, 3)) as unused_amount,
        count(case when lines.cost_amount is null then 1 end) as fx_missing_count
    from lines
    left join by_line on lines.cost_line_number = by_line.cost_line_number
    group by lines.period_month, lines.legal_entity, lines.cost_category, lines.pool_id, lines.currency_code
),

mart_cost_reconciliation as (
    select
        period_month, legal_entity, cost_category, pool_id, driver, currency_code,
        ledger_amount, out_of_scope_amount, capex_amount, allocated_amount, unallocated_amount, non_customer_amount, unused_amount,
        fx_missing_count,
        -- Also where what two lines leave over cancels out: nothing is left then.
        case when unallocated_amount <> 0 then case driver when 'calls' then 'no_calls' when 'seats' then 'no_seats' when 'sessions' then 'no_sessions' else 'no_work' end end as unallocated_reason,
        cast(ledger_amount - out_of_scope_amount - capex_amount - allocated_amount - unallocated_amount - non_customer_amount - unused_amount as decimal(18, 3)) as difference_amount
    from summed
)

select * from mart_cost_reconciliation
