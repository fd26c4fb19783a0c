with parameters as (
    select * from {{ source('lake', 'run_parameters') }}
),

presence as (
    select
        coalesce(bool_or(feed = 'accounts' and is_present), false) as has_accounts,
        coalesce(bool_or(feed = 'tickets' and is_present), false) as has_tickets,
        coalesce(bool_or(feed = 'interactions' and is_present), false) as has_interactions,
        coalesce(bool_or(feed = 'orders' and is_present), false) as has_orders,
        -- Lines of orders that never came belong to no account and no month.
        coalesce(bool_or(feed = 'orders' and is_present) and bool_or(feed = 'order_lines' and is_present), false) as has_order_lines,
        coalesce(bool_or(feed = 'refunds' and is_present), false) as has_refunds,
        coalesce(bool_or(feed = 'payments' and is_present), false) as has_payments,
        coalesce(bool_or(feed = 'survey_responses' and is_present), false) as has_survey_responses,
        coalesce(bool_or(feed = 'self_service_sessions' and is_present), false) as has_self_service_sessions,
        coalesce(bool_or(feed in ('ledger_actuals', 'budgets') and is_present), false) as has_cost
    from {{ source('lake', 'feed_presence') }}
),

-- A deleted row proves no activity, but its day still needs a period.
instants as (
    select 'tickets' as feed, min(created_at) as first_at, greatest(max(created_at), max(last_solved_at), max(closed_at)) as last_at, max(case when not is_deleted then created_at end) as active_at, min(case when not is_deleted then created_at end) as begins_at
    from {{ ref('stg_tickets') }}
    union all
    select 'interactions', min(started_at), max(started_at), max(case when not is_deleted then started_at end), min(case when not is_deleted then started_at end) from {{ ref('stg_interactions') }}
    union all
    select 'orders', min(ordered_at), max(ordered_at), max(case when not is_deleted then ordered_at end), min(case when not is_deleted then ordered_at end) from {{ ref('stg_orders') }}
    union all
    select 'refunds', min(refunded_at), max(refunded_at), max(case when not is_deleted then refunded_at end), min(case when not is_deleted then refunded_at end) from {{ ref('stg_refunds') }}
    union all
    select 'survey_responses', min(responded_at), max(responded_at), max(case when not is_deleted then responded_at end), min(case when not is_deleted then responded_at end) from {{ ref('stg_survey_responses') }}
    union all
    select 'queue_intervals', min(interval_started_at), max(interval_started_at), max(case when not is_deleted then interval_started_at end), cast(null as timestamp) from {{ ref('stg_queue_intervals') }}
    union all
    select 'self_service_sessions', min(started_at), max(started_at), max(case when not is_deleted then started_at end), min(case when not is_deleted then started_at end) from {{ ref('stg_self_service_sessions') }}
    union all
    select 'survey_invitations', min(invited_at), max(invited_at), cast(null as timestamp), cast(null as timestamp) from {{ ref('stg_survey_invitations') }}
    union all
    select 'payments', min(paid_at), max(paid_at), cast(null as timestamp), cast(null as timestamp) from {{ ref('stg_payments') }}
),

-- Days of work are local days already; they prove no activity of customers, but need a period.
agent_days as (
    select min(work_date) as first_date, max(work_date) as last_date from {{ ref('stg_agent_time') }}
),

-- An offer is known from the feed, or from the order that names it where contacts can tell when it was made.
offer_instants as (
    select min(offered_at) as begins_at from {{ ref('stg_offers') }} where not is_deleted
    union all
    select min(orders.ordered_at) from {{ ref('stg_orders') }} as orders inner join presence on presence.has_interactions where orders.offer_id is not null and not orders.is_deleted
),

offer_bounds as (
    select {{ business_date('min(offer_instants.begins_at)', 'any_value(parameters.company_time_zone)') }} as offers_first_date
    from offer_instants
    cross join parameters
),

-- A ledger month counts up to the day it was posted, and never beyond its own end.
ledger_months as (
    select
        coalesce(min(periods.start_date), min({{ iso_date("ledger.fiscal_period || '-01'") }})) as first_date,
        max(coalesce(periods.end_date, last_day({{ iso_date("ledger.fiscal_period || '-01'") }}))) as last_date,
        max(case when not ledger.is_deleted then least({{ business_date('ledger.posted_at', 'parameters.company_time_zone') }}, coalesce(periods.end_date, last_day({{ iso_date("ledger.fiscal_period || '-01'") }}))) end) as active_date
    from {{ ref('stg_ledger_actuals') }} as ledger
    cross join parameters
    left join {{ ref('stg_fiscal_periods') }} as periods on ledger.fiscal_period = periods.fiscal_period and periods.is_overruled is not true
),

-- A budget may name a month or a fiscal year (FY2020) that no calendar feed explains.
budget_months as (
    select
        min(coalesce({{ iso_date("budgets.fiscal_period || '-01'") }}, {{ iso_date("substr(budgets.fiscal_period, 3, 4) || '-01-01'") }})) as first_date,
        max(coalesce({{ iso_date("budgets.fiscal_period || '-01'") }}, {{ iso_date("substr(budgets.fiscal_period, 3, 4) || '-12-31'") }})) as last_date,
        bool_or({{ iso_date("budgets.fiscal_period || '-01'") }} is null) as has_years
    from {{ ref('stg_budgets') }} as budgets
    where not exists (select 1 from {{ ref('stg_fiscal_periods') }} as periods where periods.fiscal_period = budgets.fiscal_period or periods.fiscal_year = budgets.fiscal_period)
),

calendar_feed as (
    select min(start_date) as first_date, max(end_date) as last_date from {{ ref('stg_fiscal_periods') }} where not is_deleted and is_overruled is not true
),

bounds as (
    select
        {{ business_date('min(instants.first_at)', 'any_value(parameters.company_time_zone)') }} as first_date,
        {{ business_date('max(instants.last_at)', 'any_value(parameters.company_time_zone)') }} as last_date,
        {{ business_date('max(instants.active_at)', 'any_value(parameters.company_time_zone)') }} as active_date,
        {%- for feed in ['tickets', 'interactions', 'orders'] %}
        {{ business_date("min(case when instants.feed = '" ~ feed ~ "' then instants.begins_at end)", 'any_value(parameters.company_time_zone)') }} as {{ feed }}_first_date{{ ',' if not loop.last }}
        {%- endfor %}
    from instants
    cross join parameters
),

watermark as (
    select
        -- An event after the latest delivery moves nothing.
        least(coalesce(greatest(bounds.active_date, ledger_months.active_date), parameters.latest_delivery_date), parameters.latest_delivery_date) as as_of_date,
        least(
            bounds.first_date, agent_days.first_date, ledger_months.first_date, calendar_feed.first_date, parameters.latest_delivery_date,
            case when budget_months.has_years then cast(budget_months.first_date - interval 1 year as date) else budget_months.first_date end
        ) as first_date,
        greatest(bounds.last_date, agent_days.last_date, ledger_months.last_date, calendar_feed.last_date, budget_months.last_date, parameters.latest_delivery_date) as last_date,
        parameters.latest_delivery_date,
        bounds.tickets_first_date,
        bounds.interactions_first_date,
        bounds.orders_first_date,
        offer_bounds.offers_first_date,
        parameters.reporting_currency_code,
        {{ currency_decimals('parameters.reporting_currency_code') }} as currency_decimals,
        parameters.company_time_zone,
        parameters.legal_entity,
        parameters.fiscal_year_start_month,
        parameters.offer_window_days,
        parameters.handle_limit_seconds,
        parameters.answer_target_seconds,
        parameters.short_abandon_seconds,
        parameters.company_country_code,
        parameters.ledger_posted_share,
        parameters.normal_shift_hours,
        parameters.ramp_months,
        parameters.ramp_first_share,
        parameters.ramp_last_share,
        parameters.document_difference_limit_amount,
        parameters.unsolved_resolution_codes,
        parameters.unresolvable_issue_families,
        parameters.pool_drivers,
        parameters.resolution_price_amount,
        presence.*
    from parameters
    cross join presence
    cross join bounds
    cross join agent_days
    cross join offer_bounds
    cross join ledger_months
    cross join budget_months
    cross join calendar_feed
)

select * from watermark
