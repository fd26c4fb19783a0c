with watermark as (
    select * from {{ ref('int_core__watermark') }}
),

periods as (
    select period_month, fiscal_period, fiscal_year, min(day) as start_date from {{ ref('int_core__period_day') }} group by period_month, fiscal_period, fiscal_year
),

ledger as (
    select
        'ledger|' || {{ key_of('ledger', 'book_id') }} || '|' || ledger.journal_id || '|' || cast(ledger.line_number as string) as cost_line_id,
        'ledger' as cost_source,
        cast(null as string) as budget_version_id,
        cast(null as string) as budget_version_key,
        ledger.legal_entity, ledger.cost_centre, ledger.department_id, ledger.site_id, ledger.team_id,
        periods.period_month,
        'expense' as line_kind,
        ledger.cost_category, ledger.pool_id, ledger.gl_account,
        ledger.ledger_amount as transaction_cost_amount,
        ledger.currency_code as transaction_currency_code,
        ledger.document_exchange_rate, ledger.home_currency_code,
        ledger.cost_behaviour, ledger.traceability, ledger.recurrence, ledger.is_in_scope, ledger.scope_reason
    from {{ ref('stg_ledger_actuals') }} as ledger
    left join periods on ledger.fiscal_period = periods.fiscal_period
    where not ledger.is_deleted
),

budget as (
    select
        'budget|' || spread.budget_version_key || '|' || spread.line_id as cost_line_id,
        'budget' as cost_source,
        spread.budget_version_id,
        spread.budget_version_key,
        spread.legal_entity, spread.cost_centre, spread.department_id, spread.site_id, spread.team_id,
        spread.period_month,
        spread.line_kind,
        spread.cost_category, spread.pool_id, spread.gl_account,
        {{ amount_of('spread.month_minor') }} as transaction_cost_amount,
        spread.currency_code as transaction_currency_code,
        cast(null as decimal(18, 8)) as document_exchange_rate, cast(null as string) as home_currency_code,
        spread.cost_behaviour, spread.traceability, spread.recurrence, spread.is_in_scope, spread.scope_reason
    from {{ ref('int_cost__budget_spread') }} as spread
),

lines as (
    select * from ledger
    union all
    select * from budget
),

ledger_months as (
    select distinct legal_entity, period_month from ledger
),

-- The version in force: the latest approved or restated one that was effective by the watermark, per entity and month.
versions_in_force as (
    select spread.legal_entity, spread.period_month, spread.budget_version_key
    from {{ ref('int_cost__budget_spread') }} as spread
    cross join watermark
    where
        spread.version_state in ('approved', 'restated')
        and {{ business_date('spread.version_effective_at', 'watermark.company_time_zone') }} <= watermark.as_of_date
    qualify row_number() over (
        partition by spread.legal_entity, spread.period_month
        order by spread.version_effective_at desc, spread.budget_version_key desc, spread.line_id
    ) = 1
),

placed as (
    select
        lines.*,
        {{ in_reporting_currency(
            'lines.transaction_cost_amount', 'lines.transaction_currency_code',
            'case when coalesce(lines.home_currency_code, watermark.reporting_currency_code) = watermark.reporting_currency_code then lines.document_exchange_rate end'
        ) }} as cost_amount,
        watermark.reporting_currency_code as currency_code,
        periods.fiscal_period,
        periods.fiscal_year,
        -- Ledger wins for a month that has any; a month to come has no cost yet.
        coalesce(
            periods.start_date <= watermark.as_of_date
            and (lines.cost_source = 'ledger' or (ledger_months.period_month is null and versions_in_force.budget_version_key is not null)),
            false
        ) as is_in_force
    from lines
    cross join watermark
    left join periods on lines.period_month = periods.period_month
    left join ledger_months on lines.legal_entity = ledger_months.legal_entity and lines.period_month = ledger_months.period_month
    left join versions_in_force
        on lines.legal_entity = versions_in_force.legal_entity
        and lines.period_month = versions_in_force.period_month
        and lines.budget_version_key = versions_in_force.budget_version_key
    left join {{ ref('int_core__fx_average') }} as fx
        on lines.transaction_currency_code = fx.currency_code and cast(date_trunc('month', lines.period_month) as date) = fx.rate_month
),

numbered as (
    select
        placed.*,
        is_in_force and is_in_scope and line_kind = 'expense' as is_roi_basis,
        {{ month_base("coalesce(period_month, date '1970-01-01')") }} + cast(row_number() over (partition by period_month order by cost_line_id) as bigint) as cost_line_number
    from placed
)

select * from numbered
