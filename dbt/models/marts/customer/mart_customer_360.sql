with cost_bounds as (
    select min(period_month) as cost_first_date from {{ ref('fct_cost_line') }} where is_roi_basis
),

bounds as (
    select
        *,
        cast(as_of_date - interval 365 day as date) as year_ago_date, cast(as_of_date - interval 90 day as date) as quarter_ago_date,
        cast(as_of_date - interval 364 day as date) as year_first_date, cast(as_of_date - interval 89 day as date) as quarter_first_date
    from {{ ref('int_core__watermark') }}
),

-- A window is short when what was delivered begins after the first day of the window.
watermark as (
    select
        bounds.*,
        coalesce(bounds.orders_first_date > bounds.year_first_date, false) as is_order_year_short,
        coalesce(bounds.tickets_first_date > bounds.year_first_date, false) as is_ticket_year_short,
        coalesce(bounds.interactions_first_date > bounds.quarter_first_date, false) as is_contact_quarter_short,
        coalesce(cost_bounds.cost_first_date > bounds.year_first_date, false) as is_cost_year_short
    from bounds
    cross join cost_bounds
),

sale_orders as (
    select account_id, order_key, order_date, sum(net_amount) as gross_sales_amount, bool_or(is_fx_missing) as is_fx_missing
    from {{ ref('fct_order_line_net') }}
    where is_counted and is_gross_sale
    group by account_id, order_key, order_date
),

-- Days since the order before: none at the first, 0 for a further one of the same day.
gaps as (
    select sale_orders.*, {{ days_between('lag(order_date) over (partition by account_id order by order_date)', 'order_date') }} as gap_days from sale_orders
),

sale_facts as (
    select
        gaps.account_id, min(gaps.order_date) as first_order_date, max(gaps.order_date) as last_order_date,
        count(*) as orders_count, count(case when gaps.gap_days is null or gaps.gap_days > 0 then 1 end) as order_days_count,
        count(case when gaps.order_date > watermark.year_ago_date then 1 end) as orders_365_count,
        sum(gaps.gross_sales_amount) as gross_sales_amount, bool_or(gaps.is_fx_missing) as is_fx_missing, median(nullif(gaps.gap_days, 0)) as order_gap_median_days
    from gaps
    cross join watermark
    group by gaps.account_id
),

line_facts as (
    select
        lines.account_id, sum(lines.net_amount) as revenue_365_amount, sum(lines.margin_amount) as margin_365_amount,
        bool_or(lines.margin_amount is null) as is_cost_missing, bool_or(lines.is_fx_missing) as is_fx_missing
    from {{ ref('fct_order_line_net') }} as lines
    inner join watermark on lines.order_date > watermark.year_ago_date and lines.order_date <= watermark.as_of_date
    where lines.is_counted
    group by lines.account_id
),

refund_facts as (
    select refunds.account_id, bool_or(refunds.refund_amount is null) as is_fx_missing, bool_or(refunds.is_fx_missing) as is_cost_fx_missing, sum(refunds.refund_amount) as refunds_365_amount,
        sum(refunds.refund_amount - refunds.cost_recovered_amount) as margin_lost_amount, bool_or(refunds.cost_recovered_amount is null) as is_cost_missing
    from {{ ref('fct_refund') }} as refunds
    inner join watermark on refunds.refund_date > watermark.year_ago_date and refunds.refund_date <= watermark.as_of_date
    where refunds.is_counted
    group by refunds.account_id
),

contact_facts as (
    select
        interactions.account_id, count(*) as contacts_count,
        count(case when interactions.started_date > watermark.quarter_ago_date then 1 end) as contacts_90_count
    from {{ ref('fct_interaction') }} as interactions
    cross join watermark
    where interactions.is_counted
    group by interactions.account_id
),

ticket_facts as (
    select
        tickets.account_id, count(case when tickets.ticket_state in ('new', 'open', 'pending', 'on_hold') then 1 end) as tickets_open_count,
        count(case when tickets.is_complaint and tickets.created_date > watermark.year_ago_date then 1 end) as complaints_365_count
    from {{ ref('fct_ticket') }} as tickets
    cross join watermark
    where tickets.is_counted
    group by tickets.account_id
),

responses as (
    select responses.*, responses.response_date > watermark.year_ago_date as is_last_year
    from {{ ref('fct_survey_response') }} as responses
    cross join watermark
    where responses.survey_metric in ('csat', 'nps') and responses.is_counted
),

latest_scores as (
    select
        account_id, survey_metric, answer_share,
        case when scale_min_score = 0 and scale_max_score = 10 then answer_score end as promoter_score
    from responses
    qualify row_number() over (partition by account_id, survey_metric order by responded_at desc, response_key, question_key) = 1
),

score_facts as (
    select
        responses.account_id, {{ decimal_mean("case when responses.survey_metric = 'csat' and responses.is_last_year then responses.answer_share end") }} as csat_mean_365_share,
        bool_or(responses.survey_metric = 'csat' and responses.is_last_year) as has_csat_365,
        bool_or(responses.survey_metric = 'csat') as has_csat, bool_or(responses.survey_metric = 'nps') as has_nps,
        max(case when latest_scores.survey_metric = 'csat' then latest_scores.answer_share end) as csat_latest_share,
        max(case when latest_scores.survey_metric = 'nps' then latest_scores.promoter_score end) as nps_latest_score
    from responses
    inner join latest_scores on responses.account_id = latest_scores.account_id
    group by responses.account_id
),

-- Service cost exists by fiscal month: the months that end within the year before the watermark.
cost_facts as (
    select service.account_id, sum(service.service_cost_amount) as cost_to_serve_365_amount, bool_or(service.null_reason = 'fx_missing') as is_fx_missing
    from {{ ref('mart_account_service_month') }} as service
    inner join {{ ref('dim_period') }} as periods on service.period_month = periods.period_month
    cross join watermark
    where periods.end_date > watermark.year_ago_date and periods.end_date <= watermark.as_of_date
    group by service.account_id
),

payment_facts as (
    select account_id, sum(payment_amount) as payment_amount, bool_or(unpriced_payments_count > 0) as is_fx_missing from {{ ref('mart_account_sales_month') }} group by account_id
),

mart_customer_360 as (
    select
        accounts.account_id,
        accounts.account_kind, accounts.lifecycle_state, accounts.segment, accounts.country_code, accounts.preferred_channel,
        accounts.is_target_customer, accounts.is_inferred, accounts.is_pseudo,
        watermark.reporting_currency_code as currency_code, watermark.as_of_date,
        sale_facts.first_order_date, sale_facts.last_order_date,
        case when watermark.has_order_lines then coalesce(sale_facts.orders_count, 0) end as orders_count,
        case when watermark.has_order_lines then coalesce(sale_facts.order_days_count, 0) end as order_days_count,
        case when watermark.has_order_lines and not watermark.is_order_year_short then coalesce(sale_facts.orders_365_count, 0) end as orders_365_count,
        case when not watermark.has_order_lines then 'source_absent' when watermark.is_order_year_short then 'not_mature' end as orders_365_null_reason,
        case when watermark.has_order_lines and not coalesce(sale_facts.is_fx_missing, false) then cast(coalesce(sale_facts.gross_sales_amount, 0) as decimal(18, 3)) end as gross_sales_amount,
        case when not watermark.has_order_lines then 'source_absent' when sale_facts.is_fx_missing then 'fx_missing' end as orders_null_reason,
        case when watermark.has_order_lines and not watermark.is_order_year_short and not coalesce(line_facts.is_fx_missing or refund_facts.is_fx_missing, false) then cast(coalesce(line_facts.revenue_365_amount, 0) - coalesce(refund_facts.refunds_365_amount, 0) as decimal(18, 3)) end as revenue_365_amount,
        case when not watermark.has_order_lines then 'source_absent' when watermark.is_order_year_short then 'not_mature' when line_facts.is_fx_missing or refund_facts.is_fx_missing then 'fx_missing' end as revenue_null_reason,
        case when watermark.has_order_lines and not watermark.is_order_year_short and not coalesce(line_facts.is_cost_missing or refund_facts.is_cost_fx_missing or refund_facts.is_cost_missing, false) then cast(coalesce(line_facts.margin_365_amount, 0) - coalesce(refund_facts.margin_lost_amount, 0) as decimal(18, 3)) end as margin_365_amount,
        case when not watermark.has_order_lines then 'source_absent' when watermark.is_order_year_short then 'not_mature' when line_facts.is_fx_missing or refund_facts.is_cost_fx_missing then 'fx_missing' when line_facts.is_cost_missing or refund_facts.is_cost_missing then 'unit_cost_absent' end as margin_null_reason,
        case when watermark.has_refunds and not watermark.is_order_year_short and not coalesce(refund_facts.is_fx_missing, false) then cast(coalesce(refund_facts.refunds_365_amount, 0) as decimal(18, 3)) end as refunds_365_amount,
        case when not watermark.has_refunds then 'source_absent' when watermark.is_order_year_short then 'not_mature' when refund_facts.is_fx_missing then 'fx_missing' end as refunds_null_reason,
        cast(sale_facts.order_gap_median_days as decimal(9, 1)) as order_gap_median_days,
        case when not watermark.has_order_lines then 'source_absent' when sale_facts.order_gap_median_days is null then 'fewer_than_two_order_days' end as order_gap_null_reason,
        case when watermark.has_interactions then coalesce(contact_facts.contacts_count, 0) end as contacts_count,
        case when watermark.has_interactions and not watermark.is_contact_quarter_short then coalesce(contact_facts.contacts_90_count, 0) end as contacts_90_count,
        case when not watermark.has_interactions then 'source_absent' when watermark.is_contact_quarter_short then 'not_mature' end as contacts_90_null_reason,
        case when not watermark.has_interactions then 'source_absent' end as contacts_null_reason,
        case when watermark.has_tickets then coalesce(ticket_facts.tickets_open_count, 0) end as tickets_open_count,
        case when watermark.has_tickets and not watermark.is_ticket_year_short then coalesce(ticket_facts.complaints_365_count, 0) end as complaints_365_count,
        case when not watermark.has_tickets then 'source_absent' when watermark.is_ticket_year_short then 'not_mature' end as complaints_365_null_reason,
        case when not watermark.has_tickets then 'source_absent' end as tickets_null_reason,
        {% for name, has, reason in [('csat_latest_share', 'has_csat', 'csat_latest_null_reason'), ('csat_mean_365_share', 'has_csat_365', 'csat_mean_365_null_reason'), ('nps_latest_score', 'has_nps', 'nps_null_reason')] -%}
        score_facts.{{ name }},
        case when not watermark.has_survey_responses then 'source_absent' when score_facts.{{ name }} is null then case when score_facts.{{ has }} then 'scale_unknown' else 'no_responses' end end as {{ reason }},
        {% endfor -%}
        case when watermark.has_cost and not watermark.is_cost_year_short and not coalesce(cost_facts.is_fx_missing, false) then cast(coalesce(cost_facts.cost_to_serve_365_amount, 0) as decimal(18, 3)) end as cost_to_serve_365_amount,
        case when not watermark.has_cost then 'source_absent' when watermark.is_cost_year_short then 'not_mature' when cost_facts.is_fx_missing then 'fx_missing' end as cost_null_reason,
        case when watermark.has_payments and not coalesce(payment_facts.is_fx_missing, false) then cast(coalesce(payment_facts.payment_amount, 0) as decimal(18, 3)) end as payment_amount,
        case when not watermark.has_payments then 'source_absent' when payment_facts.is_fx_missing then 'fx_missing' end as payment_null_reason
    from {{ ref('dim_account') }} as accounts
    cross join watermark
    left join sale_facts on accounts.account_id = sale_facts.account_id
    left join line_facts on accounts.account_id = line_facts.account_id
    left join refund_facts on accounts.account_id = refund_facts.account_id
    left join contact_facts on accounts.account_id = contact_facts.account_id
    left join ticket_facts on accounts.account_id = ticket_facts.account_id
    left join score_facts on accounts.account_id = score_facts.account_id
    left join cost_facts on accounts.account_id = cost_facts.account_id
    left join payment_facts on accounts.account_id = payment_facts.account_id
    where not accounts.is_merged
)

select * from mart_customer_360
