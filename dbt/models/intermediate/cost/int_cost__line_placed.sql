with watermark as (
    select * from {{ ref('int_core__watermark') }}
),

periods as (
    select period_month, fiscal_period, fiscal_year, min(close_state) as close_state, min(day) as start_date
    from {{ ref('int_core__period_day') }}
    group by period_month, fiscal_period, fiscal_year
),

ledger as (
    select
        'ledger|' || {{ key_of('ledger', 'book_id') }} || '|' || ledger.journal_id || '|' || cast(ledger.line_number as string) as cost_line_id,
        'ledger' as cost_source,
        cast(null as string) as budget_version_id,
        cast(null as string) as budget_version_key,
        cast(null as string) as budget_line_key,
        cast(null as string) as version_state,
        cast(null as timestamp) as version_effective_at,
        ledger.legal_entity, ledger.cost_centre, ledger.department_id, ledger.site_id, ledger.team_id,
        periods.period_month,
        'expense' as line_kind,
        ledger.cost_category, ledger.pool_id, ledger.gl_account,
        ledger.ledger_amount as transaction_cost_amount,
        ledger.currency_code as transaction_currency_code,
        ledger.document_exchange_rate, ledger.home_currency_code,
        ledger.cost_behaviour, ledger.traceability, ledger.recurrence, coalesce(ledger.is_capex, false) as is_capex, ledger.is_in_scope, ledger.scope_reason,
        -- A line that takes cost back takes its capacity back.
        ledger.practical_capacity_minutes * {{ direction('ledger.ledger_amount') }} as practical_capacity_minutes
    from {{ ref('stg_ledger_actuals') }} as ledger
    left join periods on ledger.fiscal_period = periods.fiscal_period
    where not ledger.is_deleted
),

budget as (
    select
        spread.cost_line_id,
        'budget' as cost_source,
        spread.budget_version_id,
        spread.budget_version_key,
        {{ key_of('spread', 'line_id') }} as budget_line_key,
        spread.version_state,
        spread.version_effective_at,
        spread.legal_entity, spread.cost_centre, spread.department_id, spread.site_id, spread.team_id,
        spread.period_month,
        spread.line_kind,
        spread.cost_category, spread.pool_id, spread.gl_account,
        {{ amount_of('spread.month_minor', 'spread.budget_decimals') }} as transaction_cost_amount,
        spread.currency_code as transaction_currency_code,
        cast(null as decimal(18, 8)) as document_exchange_rate, cast(null as string) as home_currency_code,
        spread.cost_behaviour, spread.traceability, spread.recurrence, coalesce(spread.is_capex, false) as is_capex, spread.is_in_scope, spread.scope_reason,
        cast(null as bigint) as practical_capacity_minutes
    from {{ ref('int_cost__budget_spread') }} as spread
),

lines as (
    select * from ledger
    union all
    select * from budget
),

valued as (
    select
        lines.*,
        {{ in_reporting_currency(
            'lines.transaction_cost_amount', 'lines.transaction_currency_code',
            'case when coalesce(lines.home_currency_code, watermark.reporting_currency_code) = watermark.reporting_currency_code then lines.document_exchange_rate end'
        ) }} as cost_amount,
        watermark.reporting_currency_code as currency_code,
        watermark.currency_decimals,
        -- What the pool is shared by (decision 11).
        case
            {%- for driver in ['calls', 'seats', 'sessions'] %}
            when instr(',' || watermark.pool_drivers || ',', ',' || lines.pool_id || '={{ driver }},') > 0 then '{{ driver }}'
            {%- endfor %}
            else 'time'
        end as driver,
        periods.fiscal_period,
        periods.fiscal_year,
        coalesce(periods.close_state in ('closed', 'soft_closed'), false) as is_closed,
        coalesce(periods.start_date <= watermark.as_of_date, false) as has_begun
    from lines
    cross join watermark
    left join periods on lines.period_month = periods.period_month
    left join {{ ref('int_core__fx_average') }} as fx
        on lines.transaction_currency_code = fx.currency_code and lines.period_month = fx.period_month
),

effective as (
    select valued.*
    from valued
    cross join watermark
    where
        valued.version_state in ('approved', 'restated')
        and {{ business_date('valued.version_effective_at', 'watermark.company_time_zone') }} <= watermark.as_of_date
),

-- An approved version is the complete budget of its entity and month until the next one.
approved as (
    select legal_entity, period_month, budget_version_key, version_effective_at
    from effective
    where version_state = 'approved'
    qualify row_number() over (partition by legal_entity, period_month order by version_effective_at desc, budget_version_key desc, cost_line_id) = 1
),

-- A restated version replaces the lines that it names.
budget_in_force as (
    select effective.cost_line_id, effective.period_month
    from effective
    left join approved on effective.legal_entity = approved.legal_entity and effective.period_month = approved.period_month
    where
        effective.budget_version_key = approved.budget_version_key
        or (effective.version_state = 'restated' and effective.version_effective_at >= coalesce(approved.version_effective_at, effective.version_effective_at))
    qualify rank() over (
        partition by effective.legal_entity, effective.period_month, effective.budget_line_key
        order by effective.version_effective_at desc, effective.version_state desc, effective.budget_version_key desc
    ) = 1
),

in_force as (
    select
        valued.*,
        valued.period_month is not null and (valued.cost_source = 'ledger' or budget_in_force.cost_line_id is not null) as is_in_force
    from valued
    left join budget_in_force on valued.cost_line_id = budget_in_force.cost_line_id and valued.period_month = budget_in_force.period_month
),

posted as (
    select
        legal_entity, period_month, cost_category, is_in_scope, is_capex, is_closed,
        count(case when cost_source = 'ledger' then 1 end) as ledger_count,
        sum(case when cost_source = 'ledger' then cost_amount end) as ledger_amount,
        sum(case when cost_source = 'budget' then cost_amount end) as budget_amount,
        count(case when cost_amount is null then 1 end) as unknown_count
    from in_force
    where is_in_force and line_kind = 'expense'
    group by legal_entity, period_month, cost_category, is_in_scope, is_capex, is_closed
),

-- Where the budget replaces the ledger. A closed month is the ledger's alone; until then the ledger holds for a category as soon as it has its share.
chosen_source as (
    select
        posted.*,
        case
            when posted.is_closed then sum(posted.ledger_count) over (partition by posted.legal_entity, posted.period_month, posted.is_in_scope) = 0
            else posted.ledger_count = 0 or (posted.unknown_count = 0 and coalesce(posted.ledger_amount < posted.budget_amount * watermark.ledger_posted_share, false))
        end as is_budget
    from posted
    cross join watermark
),

placed as (
    select
        in_force.*,
        coalesce(
            in_force.is_in_force and in_force.has_begun and in_force.line_kind = 'expense' and (in_force.cost_source = 'budget') = chosen_source.is_budget, false
        ) as is_counted
    from in_force
    left join chosen_source
        on in_force.legal_entity = chosen_source.legal_entity
        and in_force.period_month = chosen_source.period_month
        and in_force.cost_category = chosen_source.cost_category
        and in_force.is_in_scope = chosen_source.is_in_scope
        and in_force.is_capex = chosen_source.is_capex
),

numbered as (
    select
        placed.*,
        -- What is bought and capitalised is no cost of its month: it comes by the depreciation that the books post.
        is_counted and is_in_scope and not is_capex as is_roi_basis,
        {{ month_base("coalesce(period_month, date '1970-01-01')") }} + cast(row_number() over (partition by period_month order by cost_line_id) as bigint) as cost_line_number
    from placed
)

select * from numbered
