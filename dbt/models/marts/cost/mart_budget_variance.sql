-- Every version of a budget as it was known when it came; built completely in each run, since a version changes the months of a year.
with watermark as (
    select * from {{ ref('int_core__watermark') }}
),

lines as (
    select * from {{ ref('int_cost__line_placed') }} where period_month is not null
),

effective as (
    select lines.*, {{ business_date('lines.version_effective_at', 'watermark.company_time_zone') }} <= watermark.as_of_date as has_come
    from lines
    cross join watermark
    where lines.version_state in ('approved', 'restated')
),

-- Lines of one version may name several instants: it came with the latest of those that have come.
versions as (
    select
        legal_entity, budget_version_key, min(budget_version_id) as budget_version_id, bool_or(has_come) as has_come,
        coalesce(max(case when has_come then version_effective_at end), min(version_effective_at)) as version_effective_at
    from effective
    group by legal_entity, budget_version_key
),

in_force as (
    select legal_entity, budget_version_key
    from versions
    where has_come
    qualify row_number() over (partition by legal_entity order by version_effective_at desc, budget_version_key desc) = 1
),

-- What was known when a version came: its own lines and those before it, by the rules of int_cost__line_placed.
known as (
    select effective.*, versions.budget_version_key as known_key
    from versions
    inner join effective on versions.legal_entity = effective.legal_entity and versions.version_effective_at >= effective.version_effective_at
),

approved as (
    select known_key, legal_entity, period_month, budget_version_key, version_effective_at
    from known
    where version_state = 'approved'
    qualify row_number() over (partition by known_key, legal_entity, period_month order by version_effective_at desc, budget_version_key desc, cost_line_id) = 1
),

budgeted as (
    select known.*
    from known
    left join approved on known.known_key = approved.known_key and known.legal_entity = approved.legal_entity and known.period_month = approved.period_month
    where
        known.budget_version_key = approved.budget_version_key
        or (known.version_state = 'restated' and known.version_effective_at >= coalesce(approved.version_effective_at, known.version_effective_at))
    qualify rank() over (
        partition by known.known_key, known.legal_entity, known.period_month, known.budget_line_key
        order by known.version_effective_at desc, known.version_state desc, known.budget_version_key desc
    ) = 1
),

budget_cells as (
    select known_key, legal_entity, fiscal_year, period_month, cost_centre, cost_category, {{ variance_sums('budget') }}
    from budgeted
    where line_kind = 'expense'
    group by known_key, legal_entity, fiscal_year, period_month, cost_centre, cost_category
),

actual_cells as (
    select legal_entity, fiscal_year, period_month, cost_centre, cost_category, {{ variance_sums('actual') }}
    from lines
    where cost_source = 'ledger'
    group by legal_entity, fiscal_year, period_month, cost_centre, cost_category
),

-- Where the books are the cost of a category and month, and where they have a line at all. A closed month is theirs alone, also in categories that
-- nobody posted.
posted as (
    select legal_entity, period_month, cost_category, bool_or(is_roi_basis) as is_booked, bool_or(is_closed and is_in_scope) as is_closed
    from lines
    where cost_source = 'ledger'
    group by legal_entity, period_month, cost_category
),

-- The months of each version, and without a version those of the books that no budget in force knows.
version_months as (
    select distinct known_key, legal_entity, fiscal_year, period_month from budgeted
    union all
    select distinct cast(null as string), actual_cells.legal_entity, actual_cells.fiscal_year, actual_cells.period_month
    from actual_cells
    where not exists (
        select 1
        from budgeted
        inner join in_force on budgeted.known_key = in_force.budget_version_key and budgeted.legal_entity = in_force.legal_entity
        where budgeted.legal_entity = actual_cells.legal_entity and budgeted.period_month = actual_cells.period_month
    )
),

cells as (
    select known_key, legal_entity, fiscal_year, cost_centre, cost_category from budget_cells
    union
    select version_months.known_key, actual_cells.legal_entity, actual_cells.fiscal_year, actual_cells.cost_centre, actual_cells.cost_category
    from actual_cells
    inner join version_months on actual_cells.legal_entity = version_months.legal_entity and actual_cells.period_month = version_months.period_month
),

joined as (
    select
        months.period_month, months.fiscal_year, months.legal_entity, cells.cost_centre, cells.cost_category, months.known_key,
        coalesce(budget_cells.budget_unknown_count, 0) as budget_unknown_count,
        coalesce(actual_cells.actual_unknown_count, 0) as actual_unknown_count,
        coalesce(bool_or(posted.legal_entity is not null) over (partition by months.known_key, months.legal_entity, months.period_month), false) as is_posted,
        coalesce(posted.is_booked, false) or coalesce(bool_or(posted.is_closed) over (partition by months.known_key, months.legal_entity, months.period_month), false) as is_booked,
        {%- for part in ['', 'capex_', 'out_of_scope_'] %}
        case when months.known_key is not null then coalesce(budget_cells.{{ part }}budget_amount, 0) end as {{ part }}budget_amount,
        coalesce(actual_cells.{{ part }}actual_amount, 0) as {{ part }}actual_amount{{ ',' if not loop.last }}
        {%- endfor %}
    from version_months as months
    inner join cells on months.known_key is not distinct from cells.known_key and months.legal_entity = cells.legal_entity and months.fiscal_year = cells.fiscal_year
    left join budget_cells on months.known_key = budget_cells.known_key and months.legal_entity = budget_cells.legal_entity and months.period_month = budget_cells.period_month and cells.cost_centre = budget_cells.cost_centre and cells.cost_category = budget_cells.cost_category
    left join actual_cells on months.legal_entity = actual_cells.legal_entity and months.period_month = actual_cells.period_month and cells.cost_centre = actual_cells.cost_centre and cells.cost_category = actual_cells.cost_category
    left join posted on months.legal_entity = posted.legal_entity and months.period_month = posted.period_month and cells.cost_category = posted.cost_category
),

known_amounts as (
    select
        period_month, fiscal_year, legal_entity, cost_centre, cost_category, known_key, is_booked,
        case when budget_unknown_count = 0 then budget_amount end as budget_amount,
        case when is_posted and actual_unknown_count = 0 then actual_amount end as actual_amount,
        capex_budget_amount, case when is_posted then capex_actual_amount end as capex_actual_amount,
        out_of_scope_budget_amount, case when is_posted then out_of_scope_actual_amount end as out_of_scope_actual_amount,
        case when known_key is null then 'source_absent' when budget_unknown_count > 0 then 'fx_missing' end as budget_null_reason,
        case when not is_posted then 'not_posted' when actual_unknown_count > 0 then 'fx_missing' end as actual_null_reason
    from joined
),

compared as (
    select
        amounts.period_month, amounts.fiscal_year, amounts.legal_entity, amounts.cost_centre, amounts.cost_category,
        versions.budget_version_id, amounts.known_key as budget_version_key, versions.version_effective_at,
        amounts.known_key is null or in_force.budget_version_key is not null as is_in_force,
        amounts.is_booked,
        amounts.budget_amount, amounts.actual_amount,
        cast(amounts.actual_amount - amounts.budget_amount as decimal(18, 3)) as variance_amount,
        cast(amounts.actual_amount - amounts.budget_amount as double) / nullif(cast(amounts.budget_amount as double), 0) as variance_share,
        {%- for name in ['budget_amount', 'actual_amount'] %}
        case when count(case when amounts.{{ name }} is null then 1 end) over (partition by amounts.known_key, amounts.legal_entity, amounts.fiscal_year, amounts.cost_centre, amounts.cost_category order by amounts.period_month) = 0 then
            cast(sum(amounts.{{ name }}) over (partition by amounts.known_key, amounts.legal_entity, amounts.fiscal_year, amounts.cost_centre, amounts.cost_category order by amounts.period_month) as decimal(18, 3))
        end as {{ name | replace('_amount', '') }}_to_date_amount,
        {%- endfor %}
        case when amounts.known_key is not null and count(case when case when amounts.is_booked then amounts.actual_amount else amounts.budget_amount end is null then 1 end) over (partition by amounts.known_key, amounts.legal_entity, amounts.fiscal_year, amounts.cost_centre, amounts.cost_category) = 0 then
            cast(sum(case when amounts.is_booked then amounts.actual_amount else amounts.budget_amount end) over (partition by amounts.known_key, amounts.legal_entity, amounts.fiscal_year, amounts.cost_centre, amounts.cost_category) as decimal(18, 3))
        end as forecast_year_amount,
        amounts.capex_budget_amount, amounts.capex_actual_amount, amounts.out_of_scope_budget_amount, amounts.out_of_scope_actual_amount,
        amounts.budget_null_reason, amounts.actual_null_reason,
        coalesce(amounts.budget_null_reason, amounts.actual_null_reason) as variance_null_reason,
        watermark.reporting_currency_code as currency_code
    from known_amounts as amounts
    cross join watermark
    left join versions on amounts.known_key = versions.budget_version_key and amounts.legal_entity = versions.legal_entity
    left join in_force on amounts.known_key = in_force.budget_version_key and amounts.legal_entity = in_force.legal_entity
),

mart_budget_variance as (
    select *, case when forecast_year_amount is null then case when budget_version_key is null then 'source_absent' else 'fx_missing' end end as forecast_null_reason from compared
)

select * from mart_budget_variance
