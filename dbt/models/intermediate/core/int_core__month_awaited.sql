-- Which sources have not reached the end of a month, by deliveries and not by activity, and which feeds begin later; see docs/decisions/0033-complete-months.md.
with watermark as (
    select * from {{ ref('int_core__watermark') }}
),

months as (
    select period_month, min(day) as start_date, max(day) as end_date from {{ ref('int_core__period_day') }} group by period_month
),

sources as (
    select * from {{ source('lake', 'sources') }}
),

cost_sources as (
    select source_name, 'ledger' as cost_source from sources where feed = 'ledger_actuals'
    union all
    select source_name, 'budget' as cost_source from sources where feed = 'budgets' and not exists (select 1 from sources as own where own.feed = 'ledger_actuals')
),

cost_months as (
    select cost_source, period_month from {{ ref('int_cost__line_placed') }} where period_month is not null group by cost_source, period_month
),

cost_begins as (
    select cost_source, min(period_month) as first_month from cost_months group by cost_source
),

-- A source reaches the end of a month with a delivery of a later day, cost with its lines too: a file with nothing but its header says that there is nothing more.
awaited as (
    select months.period_month, sources.source_name
    from months
    inner join sources on months.end_date >= sources.last_delivery_date
    where sources.feed in ('tickets', 'interactions', 'orders', 'order_lines', 'ledger_actuals')
    union
    select months.period_month, cost_sources.source_name
    from months
    inner join cost_begins on months.period_month >= cost_begins.first_month
    inner join cost_sources on cost_begins.cost_source = cost_sources.cost_source
    where not exists (select 1 from cost_months where cost_months.cost_source = cost_sources.cost_source and cost_months.period_month = months.period_month)
),

waiting as (
    select period_month, {{ list_of('source_name') }} as waits_for from awaited group by period_month
),

month_awaited as (
    select
        months.period_month,
        waiting.waits_for,
        months.start_date <= watermark.as_of_date as has_begun,
        coalesce(months.end_date >= watermark.tickets_first_date, false) as has_tickets,
        coalesce(months.end_date >= watermark.interactions_first_date, false) as has_interactions,
        coalesce(months.end_date >= watermark.orders_first_date, false) as has_orders,
        coalesce(months.end_date >= watermark.offers_first_date, false) as has_offers,
        waiting.waits_for is null and months.start_date <= watermark.as_of_date and months.end_date < watermark.latest_delivery_date as is_complete
    from months
    cross join watermark
    left join waiting on months.period_month = waiting.period_month
)

select * from month_awaited
