-- Lines of one month, as amounts are in the published copy: nothing is allocated, converted or rounded again here.
-- Grain: line_id x legal_entity x cost_centre x gl_account x transaction currency. The two places in braces take
-- one SELECT for each column of analytics.mart_service_roi_month that lines.py names.
with span as (
    select
        period_month,
        period_month = $month as is_this,
        period_month = $prior_month as is_prior,
        fiscal_year::varchar = $fiscal_year and period_month <= $month as is_in_year
    from marts.dim_period
    where period_month = $prior_month or (fiscal_year::varchar = $fiscal_year and period_month <= $month)
),

-- Where the cost of a month is known, an account without a posting has none; where it is not, no account's is.
known as (
    select
        coalesce(bool_and(figures.service_cost_amount is not null) filter (span.is_this), false) as is_this,
        coalesce(bool_and(figures.service_cost_amount is not null) filter (span.is_prior), false) as is_prior,
        coalesce(bool_and(figures.service_cost_amount is not null) filter (span.is_in_year), false) and $is_year_complete as is_in_year,
        max(figures.service_cost_null_reason) filter (span.is_this) as null_reason
    from span
    left join analytics.mart_service_roi_month as figures on span.period_month = figures.period_month and figures.window_kind = 'month'
),

cost as (
    select
        'cost.' || costs.cost_category as line_id,
        costs.legal_entity,
        costs.cost_centre,
        costs.cost_category,
        costs.gl_account,
        case when any_value(known.is_this) then coalesce(sum(costs.cost_amount) filter (span.is_this), 0) end as reporting_amount,
        case when any_value(known.is_this) then coalesce(sum(costs.transaction_cost_amount) filter (span.is_this), 0) end as transaction_amount,
        costs.transaction_currency_code,
        case when any_value(known.is_prior) then coalesce(sum(costs.cost_amount) filter (span.is_prior), 0) end as prior_period_amount,
        case when any_value(known.is_in_year) then coalesce(sum(costs.cost_amount) filter (span.is_in_year), 0) end as ytd_amount,
        coalesce(bool_or(costs.is_provisional) filter (span.is_this), false) as is_estimate,
        any_value(known.null_reason) as null_reason
    from marts.fct_cost_line as costs
    inner join span on costs.period_month = span.period_month
    cross join known
    where costs.is_roi_basis
    group by costs.cost_category, costs.legal_entity, costs.cost_centre, costs.gl_account, costs.transaction_currency_code
),

roi as (
    select figures.*, revenue.net_revenue_amount, revenue.net_revenue_null_reason, span.is_this, span.is_prior, span.is_in_year
    from span
    left join analytics.mart_service_roi_month as figures on span.period_month = figures.period_month and figures.window_kind = 'month'
    left join reporting.roi_month as revenue on span.period_month = revenue.period_month
),

lines as (
    select
        line_id, 'cost' as line_group, 'ledger' as evidence_tier, legal_entity, cost_centre, cost_category, gl_account,
        reporting_amount, transaction_amount, transaction_currency_code, prior_period_amount, ytd_amount,
        true as is_in_total, is_estimate, null_reason, 'service_cost' as metric_id,
        'analytics.mart_service_roi_month' as source_relation, 'service_cost_amount' as source_column
    from cost
    {roi_lines}
),

memo as (
    select
        'unit_cost.' || unit_kind as line_id, cost_amount as reporting_amount,
        case when unit_kind = 'sales_unit' then net_amount else volume_count end as quantity,
        unit_kind as unit, unit_cost_amount as unit_amount, null::double as low95, null::double as high95,
        is_provisional or not is_complete_period as is_estimate, null_reason,
        case unit_kind
            when 'ticket_closed' then 'cost_per_ticket'
            when 'ticket_created' then 'cost_per_ticket_created'
            when 'call' then 'cost_per_call'
            when 'interaction' then 'cost_per_interaction'
            when 'sales_unit' then 'cost_per_sales_unit'
        end as metric_id,
        'marts.mart_cost_per_unit' as source_relation, 'unit_cost_amount' as source_column
    from marts.mart_cost_per_unit
    where period_month = $month and channel = 'all'
    {ratio_lines}
),

named as (
    select
        line_id, 'detail' as line_kind, line_group, evidence_tier, legal_entity, cost_centre, cost_category, gl_account,
        reporting_amount, transaction_amount, transaction_currency_code, prior_period_amount, ytd_amount,
        null::decimal(20, 6) as quantity, null::varchar as unit, null::decimal(18, 4) as unit_amount,
        null::decimal(20, 6) as low95, null::decimal(20, 6) as high95,
        is_in_total, is_estimate, null_reason, metric_id, source_relation, source_column
    from lines
    union all
    select
        line_group || '.net', 'net', line_group, null, null, null, null, null,
        sum(reporting_amount), null, null, sum(prior_period_amount), sum(ytd_amount),
        null, null, null, null, null, false, bool_or(is_estimate),
        string_agg(line_id || ' ' || null_reason, ', ' order by line_id) filter (null_reason is not null), 'group_net', null, null
    from lines
    where is_in_total
    group by line_group
    union all
    select
        line_id, 'detail', 'memo', null, null, null, null, null, reporting_amount, null, null, null, null, quantity, unit, unit_amount,
        low95, high95, false, is_estimate, null_reason, metric_id, source_relation, source_column
    from memo
),

metrics as (
    select relation, "column" as column_name, case when count(*) = 1 then min(metric_id) end as metric_id
    from ops.metric_registry
    group by relation, "column"
)

select
    $entity as entity, $period as period,
    named.line_id, named.line_kind, named.line_group, named.evidence_tier, coalesce(named.metric_id, metrics.metric_id) as metric_id,
    named.legal_entity, named.cost_centre, named.cost_category, named.gl_account,
    named.reporting_amount::decimal(18, 3) as reporting_amount, $currency as currency_code,
    named.transaction_amount::decimal(18, 3) as transaction_amount, named.transaction_currency_code,
    named.prior_period_amount::decimal(18, 3) as prior_period_amount, named.ytd_amount::decimal(18, 3) as ytd_amount,
    named.quantity::decimal(20, 6) as quantity, named.unit, named.unit_amount::decimal(18, 4) as unit_amount,
    named.low95::decimal(20, 6) as low95, named.high95::decimal(20, 6) as high95,
    named.is_in_total, named.is_estimate, named.null_reason, named.source_relation, named.source_column
from named
left join metrics on named.source_relation = metrics.relation and named.source_column = metrics.column_name
order by
    array_position(['cost', 'value', 'damage', 'memo'], named.line_group), named.line_kind, named.line_id,
    named.legal_entity nulls first, named.cost_centre nulls first, named.gl_account nulls first,
    named.transaction_currency_code nulls first, named.cost_category nulls first
