-- Account months and the observed facts of each customer.
create table marts.mart_account_service_month as
with parts as (
    select account_id, period_month, count(*) as contacts_count, count(*) filter (channel = 'phone') as calls_count, sum(handle_seconds)::bigint as handle_seconds
    from marts.fct_interaction group by 1, 2
    union all by name
    select account_id, period_month, count(*) as tickets_created_count, count(*) filter (is_complaint) as complaints_count from marts.fct_ticket group by 1, 2
    union all by name
    select account_id, solved_period_month as period_month, count(*) as tickets_solved_count
    from marts.fct_ticket where solved_period_month is not null group by 1, 2
    union all by name
    select o.account_id, o.period_month, sum(a.cost_minor) as service_minor, sum(a.cost_minor) filter (l.cost_category = 'people') as people_minor,
        sum(a.cost_minor) filter (l.cost_category = 'it') as it_minor, sum(a.cost_minor) filter (l.cost_category = 'facilities') as facilities_minor,
        sum(a.cost_minor) filter (l.cost_category = 'other') as other_minor
    from object_allocated as a inner join cost_object as o on a.object_number = o.object_number
    inner join marts.fct_cost_line as l on a.cost_line_number = l.cost_line_number
    group by 1, 2
    union all by name
    select account_id, period_month, count(*) filter (score >= 4) as csat_num, count(*) as csat_response_count
    from marts.fct_survey_response where survey_metric = 'csat' group by 1, 2
)
select account_id, period_month, coalesce(sum(contacts_count), 0)::bigint as contacts_count, coalesce(sum(calls_count), 0)::bigint as calls_count,
    coalesce(sum(tickets_created_count), 0)::bigint as tickets_created_count, coalesce(sum(tickets_solved_count), 0)::bigint as tickets_solved_count,
    coalesce(sum(complaints_count), 0)::bigint as complaints_count, coalesce(sum(handle_seconds), 0)::bigint as handle_seconds,
    (coalesce(sum(service_minor), 0) * 0.01)::decimal(18, 2) as service_cost_amount, (coalesce(sum(people_minor), 0) * 0.01)::decimal(18, 2) as people_cost_amount,
    (coalesce(sum(it_minor), 0) * 0.01)::decimal(18, 2) as it_cost_amount, (coalesce(sum(facilities_minor), 0) * 0.01)::decimal(18, 2) as facilities_cost_amount,
    (coalesce(sum(other_minor), 0) * 0.01)::decimal(18, 2) as other_cost_amount,
    coalesce(sum(csat_num), 0)::bigint as csat_num, coalesce(sum(csat_response_count), 0)::bigint as csat_response_count, 'EUR' as currency_code
from parts group by 1, 2;

create table marts.mart_account_sales_month as
with offered as (
    select o.order_id from marts.fct_order as o inner join marts.fct_interaction as i on o.interaction_id = i.interaction_id
    where o.offer_id is not null and o.ordered_at >= i.started_at and o.ordered_at <= i.started_at + interval 30 days
),
parts as (
    select l.account_id, l.period_month, count(distinct l.order_id) filter (l.order_kind = 'sale') as orders_count, count(distinct l.order_date) filter (l.order_kind = 'sale') as order_days_count,
        sum(l.net_amount) filter (l.is_gross_sale) as gross_sales, sum(l.net_amount) filter (l.net_amount < 0) as credits, sum(l.net_amount) as revenue,
        sum(l.cost_amount) as goods, sum(l.margin_amount) filter (offered.order_id is not null) as offer_margin
    from marts.fct_order_line_net as l left join offered on l.order_id = offered.order_id where l.is_counted group by 1, 2
    union all by name
    select r.account_id, r.period_month, sum(r.refund_amount) as refunds, sum(r.recovered_cost_amount) as recovered,
        -sum(r.refund_amount - r.recovered_cost_amount) filter (offered.order_id is not null) as offer_margin
    from marts.fct_refund as r left join offered on r.order_id = offered.order_id where r.is_counted group by 1, 2
    union all by name
    select account_id, period_month, sum(payment_amount) as payments from marts.fct_payment where is_counted group by 1, 2
)
select account_id, period_month, coalesce(sum(orders_count), 0)::bigint as orders_count, coalesce(sum(order_days_count), 0)::bigint as order_days_count,
    coalesce(sum(gross_sales), 0)::decimal(18, 2) as gross_sales_amount, coalesce(sum(credits), 0)::decimal(18, 2) as credit_amount, coalesce(sum(refunds), 0)::decimal(18, 2) as refund_amount,
    (coalesce(sum(revenue), 0) - coalesce(sum(refunds), 0))::decimal(18, 2) as net_revenue_amount, (coalesce(sum(goods), 0) - coalesce(sum(recovered), 0))::decimal(18, 2) as unit_cost_amount,
    (coalesce(sum(revenue), 0) - coalesce(sum(refunds), 0) - coalesce(sum(goods), 0) + coalesce(sum(recovered), 0))::decimal(18, 2) as contribution_margin_amount,
    coalesce(sum(offer_margin), 0)::decimal(18, 2) as offer_margin_amount, coalesce(sum(payments), 0)::decimal(18, 2) as payment_amount, 'EUR' as currency_code
from parts group by 1, 2;

create table marts.mart_customer_360 as
with bounds as (select as_of_date, as_of_date - 365 as year_ago, as_of_date - 90 as quarter_ago from as_of),
days as (
    select account_id, order_date, count(distinct order_id) as orders, sum(net_amount) filter (is_gross_sale) as gross_sales, sum(net_amount) as revenue, sum(margin_amount) as margin,
        bool_or(order_kind = 'sale') as has_sale
    from marts.fct_order_line_net where is_counted group by 1, 2
),
gaps as (select *, order_date - lag(order_date) over (partition by account_id order by order_date) as gap from days where has_sale),
sold as (
    select account_id, min(order_date) as first_order_date, max(order_date) as last_order_date, sum(orders)::bigint as orders_count, count(*) as order_days_count,
        sum(orders) filter (order_date > year_ago)::bigint as orders_365_count, sum(gross_sales) as gross_sales_amount, median(gap) as order_gap_median_days
    from gaps cross join bounds group by 1
),
earned as (
    select account_id, sum(revenue) filter (order_date > year_ago) as revenue_365_amount, sum(margin) filter (order_date > year_ago) as margin_365_amount
    from days cross join bounds group by 1
),
contacted as (select account_id, count(*) as contacts_count, count(*) filter (started_date > quarter_ago) as contacts_90_count from marts.fct_interaction cross join bounds group by 1),
ticketed as (
    select account_id, count(*) filter (ticket_state in ('new', 'open', 'pending', 'on_hold')) as tickets_open_count,
        count(*) filter (is_complaint and created_date > year_ago) as complaints_365_count
    from marts.fct_ticket cross join bounds group by 1
),
answered as (
    select account_id, max_by(score, responded_at) filter (survey_metric = 'csat') as csat_latest_score,
        avg(score) filter (survey_metric = 'csat' and responded_date > year_ago) as csat_mean_365_score, max_by(score, responded_at) filter (survey_metric = 'nps') as nps_latest_score
    from marts.fct_survey_response cross join bounds group by 1
),
refunded as (select account_id, sum(refund_amount) filter (refunded_at::date > year_ago) as refunds_365_amount from marts.fct_refund cross join bounds group by 1),
paid as (select account_id, sum(payment_amount) as payment_amount from marts.fct_payment group by 1),
served as (select account_id, sum(service_cost_amount) filter (period_month > year_ago) as cost_to_serve_365_amount from marts.mart_account_service_month cross join bounds group by 1)
select a.*, sold.* exclude (account_id), earned.* exclude (account_id), contacted.* exclude (account_id), ticketed.* exclude (account_id), answered.* exclude (account_id),
    refunded.* exclude (account_id), paid.* exclude (account_id), served.* exclude (account_id), bounds.as_of_date
from marts.dim_account as a cross join bounds
left join sold using (account_id) left join earned using (account_id) left join contacted using (account_id) left join ticketed using (account_id)
left join answered using (account_id) left join refunded using (account_id) left join paid using (account_id) left join served using (account_id);

drop table object_allocated;
drop table cost_object;
