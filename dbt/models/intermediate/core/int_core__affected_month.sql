-- Schema state holds what was true when the last copy was published; see docs/decisions/0016-a-day-rebuilds-its-months.md.
with days as (
    select days.*, awaited.waits_for, awaited.has_begun, awaited.has_tickets, awaited.has_interactions, awaited.has_orders, awaited.has_offers, awaited.is_complete
    from {{ ref('int_core__period_day') }} as days
    inner join {{ ref('int_core__month_awaited') }} as awaited on days.period_month = awaited.period_month
),

-- A month that begins, becomes complete, waits for other sources, has other days or another name, or in which a feed has begun or not yet.
changed_days as (
    select
        days.period_month,
        former.period_month as former_month,
        case
            when former.day is null or (days.has_begun and not former.has_begun) then 'a month begins'
            when days.day is null or days.period_month <> former.period_month or days.fiscal_period <> former.fiscal_period
                or days.fiscal_year <> former.fiscal_year or days.is_generated <> former.is_generated then 'the fiscal calendar changes'
            when days.has_tickets <> former.has_tickets or days.has_interactions <> former.has_interactions
                or days.has_orders <> former.has_orders or days.has_offers <> former.has_offers then 'a feed begins earlier or later'
            when days.is_complete then 'becomes complete'
            when former.is_complete then 'is not complete any more'
            else 'waits for other sources'
        end as why
    from days
    full outer join {{ source('state', 'period_day') }} as former on days.day = former.day
    where (days.period_month, days.fiscal_period, days.fiscal_year, days.is_generated, days.waits_for, days.has_begun, days.has_tickets, days.has_interactions, days.has_orders, days.has_offers, days.is_complete) is distinct from (former.period_month, former.fiscal_period, former.fiscal_year, former.is_generated, former.waits_for, former.has_begun, former.has_tickets, former.has_interactions, former.has_orders, former.has_offers, former.is_complete)
),

cost_lines as (
    select period_month, cost_line_id, cost_line_number, cost_source, legal_entity, department_id, cost_category, pool_id, currency_code, line_kind, is_in_scope, is_capex, is_in_force, is_counted, is_roi_basis, cost_amount, 1 as side
    from {{ ref('int_cost__line_placed') }}
    union all
    select period_month, cost_line_id, cost_line_number, cost_source, legal_entity, department_id, cost_category, pool_id, currency_code, line_kind, is_in_scope, is_capex, is_in_force, is_counted, is_roi_basis, cost_amount, -1 as side
    from {{ source('state', 'cost_line') }}
),

-- A row that is on both sides adds up to 0: what is left came, went or changed, also because the watermark brought it into force.
changed_lines as (
    select period_month, cost_source || ' lines came, went or changed' as why
    from cost_lines
    group by period_month, cost_line_id, cost_line_number, cost_source, legal_entity, department_id, cost_category, pool_id, currency_code, line_kind, is_in_scope, is_capex, is_in_force, is_counted, is_roi_basis, cost_amount
    having sum(side) <> 0
),

schedule_days as (
    select schedule_id, utc_date, opens_at, closes_at, is_in_force, 1 as side from {{ ref('int_service__open_span') }}
    union all
    select schedule_id, utc_date, opens_at, closes_at, is_in_force, -1 as side from {{ source('state', 'open_span') }}
),

changed_schedule_days as (
    select distinct schedule_id, utc_date
    from (
        select schedule_id, utc_date from schedule_days group by schedule_id, utc_date, opens_at, closes_at, is_in_force having sum(side) <> 0
    ) as changed
),

affected as (
    select days.period_month, 'records arrived' as why from days inner join {{ ref('int_core__affected_day') }} as affected_day on days.day = affected_day.day
    union
    select period_month, why from changed_days
    union
    select former_month, why from changed_days
    union
    select period_month, why from changed_lines
    union
    select used.period_month, 'business hours or holidays changed' as why
    from {{ source('state', 'schedule_use') }} as used
    inner join changed_schedule_days as changed on used.schedule_id = changed.schedule_id and changed.utc_date between used.first_date and used.last_date
)

select period_month, why from affected where period_month is not null
