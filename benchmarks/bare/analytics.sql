-- Service ROI, retention, 80/20 and tiers in SQL.
create temp table numbered as
select account_id, is_pseudo, (row_number() over (order by account_id))::integer as account_number from marts.dim_account;

create temp table account_month as
select n.account_number, n.is_pseudo, coalesce(s.period_month, v.period_month) as period_month,
    (coalesce(s.service_cost_amount, 0) * 100)::bigint as cost, coalesce(s.contacts_count, 0) as contacts, (coalesce(v.contribution_margin_amount, 0) * 100)::bigint as margin,
    (coalesce(v.offer_margin_amount, 0) * 100)::bigint as hard, (coalesce(v.gross_sales_amount, 0) * 100)::bigint as gross_sales,
    (coalesce(v.net_revenue_amount, 0) * 100)::bigint as net_revenue, (coalesce(v.payment_amount, 0) * 100)::bigint as payments
from marts.mart_account_service_month as s full outer join marts.mart_account_sales_month as v on s.account_id = v.account_id and s.period_month = v.period_month
inner join numbered as n on n.account_id = coalesce(s.account_id, v.account_id);

create temp table windowed as
with months as (select distinct period_month from account_month),
firsts as (select account_number, is_pseudo, min(period_month) as first_month from account_month group by 1, 2),
grid as (
    select f.account_number, f.is_pseudo, m.period_month, a.* exclude (account_number, is_pseudo, period_month)
    from firsts as f inner join months as m on m.period_month >= f.first_month
    left join account_month as a on f.account_number = a.account_number and m.period_month = a.period_month
),
summed as (
    select account_number, is_pseudo, period_month, 'trailing_12' as window_kind, count(cost) over year as months, sum(cost) over year as cost, sum(contacts) over year as contacts,
        sum(margin) over year as margin, sum(hard) over year as hard, sum(gross_sales) over year as gross_sales, sum(net_revenue) over year as net_revenue, sum(payments) over year as payments
    from grid window year as (partition by account_number order by period_month rows between 11 preceding and current row)
    union all
    select account_number, is_pseudo, period_month, 'to_date', 1, sum(cost) over past, sum(contacts) over past, sum(margin) over past, sum(hard) over past, sum(gross_sales) over past,
        sum(net_revenue) over past, sum(payments) over past
    from grid window past as (partition by account_number order by period_month)
    union all
    select account_number, is_pseudo, period_month, 'month', 1, cost, contacts, margin, hard, gross_sales, net_revenue, payments from account_month
)
select account_number, is_pseudo, period_month, window_kind, cost::bigint as cost, contacts::bigint as contacts, margin::bigint as margin, hard::bigint as hard,
    gross_sales::bigint as gross_sales, net_revenue::bigint as net_revenue, payments::bigint as payments
from summed where months > 0;

create table analytics.mart_service_roi_account as
select account_id, period_month, window_kind, (cost * 0.01)::decimal(18, 2) as service_cost_amount, (margin * 0.01)::decimal(18, 2) as contribution_margin_amount,
    (hard * 0.01)::decimal(18, 2) as v_hard_amount, ((hard - cost) * 0.01)::decimal(18, 2) as net_benefit_amount,
    (margin - cost) / nullif(cost, 0)::double as gross_roi_ratio, (hard - cost) / nullif(cost, 0)::double as roi_ratio,
    case when cost = 0 then 'no_service_cost' end as null_reason, 'EUR' as currency_code
from windowed inner join numbered using (account_number) where window_kind <> 'to_date';

create table analytics.mart_service_roi_month as
with sums as (
    select period_month, window_kind, count(*) filter (not is_pseudo) as accounts_count, sum(cost) as cost, sum(margin) as margin, sum(hard) as hard
    from windowed where window_kind <> 'to_date' group by 1, 2
),
spread as (
    select w.period_month, w.window_kind, stddev_samp(w.margin - s.margin / s.cost * w.cost) as gross_deviation, stddev_samp(w.hard - s.hard / s.cost * w.cost) as deviation
    from windowed as w inner join sums as s on w.period_month = s.period_month and w.window_kind = s.window_kind where not w.is_pseudo group by 1, 2
)
select period_month, window_kind, accounts_count, (cost * 0.01)::decimal(18, 2) as service_cost_amount, (margin * 0.01)::decimal(18, 2) as contribution_margin_amount,
    (hard * 0.01)::decimal(18, 2) as v_hard_amount, (margin - cost) / cost::double as gross_roi_ratio, (hard - cost) / cost::double as roi_ratio,
    gross_roi_ratio - 1.959963984540054 * sqrt(accounts_count) * gross_deviation / cost as gross_roi_low95_ratio,
    gross_roi_ratio + 1.959963984540054 * sqrt(accounts_count) * gross_deviation / cost as gross_roi_high95_ratio,
    roi_ratio - 1.959963984540054 * sqrt(accounts_count) * deviation / cost as roi_low95_ratio, roi_ratio + 1.959963984540054 * sqrt(accounts_count) * deviation / cost as roi_high95_ratio
from sums inner join spread using (period_month, window_kind);

create temp table ordered as
with taken_back as (
    select l.order_id from (select order_id, sum(net_amount) as net from marts.fct_order_line_net where is_counted group by 1) as l
    inner join (select order_id, sum(refund_amount) as refunded from marts.fct_refund group by 1) as r on l.order_id = r.order_id where l.net <= r.refunded
)
select account_id, order_date, count(distinct order_id) as orders from marts.fct_order_line_net
where is_gross_sale and is_counted and order_id not in (select order_id from taken_back) group by 1, 2;

create table analytics.mart_retention_month as
with ends as (
    select period_month, least(end_date, as_of_date) as day from marts.dim_period cross join as_of where period_month between (select min(order_date) - 31 from ordered) and as_of_date
),
firsts as (select account_id, min(order_date) as first_date from ordered group by 1),
states as (
    select e.period_month, e.day, f.account_id, f.first_date >= e.period_month as is_first, max(o.order_date) filter (o.order_date <= e.day) > e.day - 365 as now,
        max(o.order_date) filter (o.order_date < e.period_month) >= e.period_month - 365 as before, max(o.order_date) filter (o.order_date <= e.day - 365) > e.day - 730 as base,
        count(*) filter (o.order_date >= e.period_month) as days, coalesce(sum(o.orders) filter (o.order_date >= e.period_month), 0) as orders, sum(o.orders) as orders_to_date
    from ends as e inner join ordered as o on o.order_date <= e.day inner join firsts as f on o.account_id = f.account_id
    group by e.period_month, e.day, f.account_id, f.first_date
)
select period_month, sum(orders)::bigint as orders_count, count(*) filter (orders > 0) as ordering_count, count(*) filter (now and is_first) as new_count,
    count(*) filter (now and before) as retained_count, count(*) filter (now and not coalesce(before, false) and not is_first) as reactivated_count,
    count(*) filter (before and not now) as churned_count, count(*) filter (now) as active_count, count(*) filter (base and now) as retention_rate_num,
    count(*) filter (base) as retention_rate_den, retention_rate_num / nullif(retention_rate_den, 0) as retention_rate, count(*) filter (orders >= 2) as repeat_purchase_rate_num,
    count(*) filter (orders >= 1) as repeat_purchase_rate_den, count(*) filter (orders_to_date >= 2) as repeat_to_date_rate_num
from states group by 1 order by 1;

create table analytics.mart_retention_cohort as
with months as (select account_id, date_trunc('month', order_date)::date as month, sum(orders) as orders from ordered group by 1, 2),
placed as (select *, min(month) over (partition by account_id) as cohort_month, sum(orders) over (partition by account_id order by month) as so_far from months),
numbered as (select *, date_diff('month', cohort_month, month) as month_number, case when so_far >= 2 and so_far - orders < 2 then 1 else 0 end as becomes_repeat from placed),
cells as (select cohort_month, month_number, count(*) as active_count, sum(becomes_repeat) as repeats from numbered group by 1, 2)
select cohort_month, month_number, first(active_count) over cohort as cohort_count, active_count, active_count / first(active_count) over cohort as active_share,
    sum(repeats) over cohort as cumulative_repeat_count, sum(repeats) over cohort / first(active_count) over cohort as cumulative_repeat_share
from cells window cohort as (partition by cohort_month order by month_number);

create temp table population as
select (row_number() over ())::integer as population_number, *
from (select distinct period_month, window_kind from windowed), (select unnest(['gross_sales', 'net_revenue', 'margin_after_service', 'contacts', 'payments']) as measure_kind);

-- Integer keys and a window without text: the sort is the cost of this table.
create temp table ranked as
select population_number, value, sum(value) over best as best_sum, row_number() over best as best_rank
from (
    select p.population_number, w.account_number,
        case p.measure_kind when 'gross_sales' then gross_sales when 'net_revenue' then net_revenue when 'margin_after_service' then margin - cost when 'contacts' then contacts else payments end as value
    from windowed as w inner join population as p on w.period_month = p.period_month and w.window_kind = p.window_kind
    where not w.is_pseudo
)
where value <> 0
window best as (partition by population_number order by value desc, account_number rows between unbounded preceding and current row);

create temp table totals as
select p.*, count(*) as n, sum(r.value)::bigint as total from ranked as r inner join population as p using (population_number) group by all;

create table analytics.mart_concentration as
select t.period_month, t.window_kind, t.measure_kind, t.n as customers_count, t.total as total_minor,
    (sum(value) filter (best_rank <= floor(0.2 * n)) + (0.2 * n - floor(0.2 * n)) * coalesce(sum(value) filter (best_rank = floor(0.2 * n) + 1), 0)) / total::double as top20_share,
    sum(value) filter (best_rank <= ceil(0.2 * n)) / total::double as top20_ceiling_share,
    count(*) filter (best_sum - value < 0.8 * total) as customers_for_80_count, count(*) filter (best_sum - value < 0.8 * total) / n as customers_for_80_share,
    case when min(value) >= 0 then sum((n + 1 - 2 * best_rank) * value::double) / (n * total::double) end as gini_ratio, max(best_sum) / total::double as whale_peak_share
from ranked inner join totals as t using (population_number) group by t.period_month, t.window_kind, t.measure_kind, t.n, t.total;

create table analytics.mart_concentration_curve as
with shown as (
    select r.*, t.* exclude (population_number) from ranked as r inner join totals as t using (population_number)
    where t.window_kind <> 'month' and t.period_month = (select max(period_month) from totals)
)
select period_month, window_kind, measure_kind, point / 100 as customer_share, best_cumulative_minor * 0.01 as best_cumulative_amount, 1 - worst_minor / total::double as lorenz_share
from (
    select period_month, window_kind, measure_kind, point, any_value(total) as total, max(best_sum) filter (best_rank = ceil(point * n / 100)) as best_cumulative_minor,
        coalesce(max(best_sum) filter (best_rank = ceil((100 - point) * n / 100)), 0) as worst_minor
    from shown inner join (select unnest(range(101)) as point) on best_rank = ceil(point * n / 100) or best_rank = ceil((100 - point) * n / 100)
    group by 1, 2, 3, 4
);

create table analytics.mart_account_tier as
with positive as (
    select account_number, period_month, margin - cost as value, sum(greatest(margin - cost, 0)) over (partition by period_month) as total,
        sum(greatest(margin - cost, 0)) over best as so_far, row_number() over best as rank
    from windowed inner join marts.dim_period using (period_month) where window_kind = 'trailing_12' and not is_pseudo and is_complete_period
    window best as (partition by period_month order by margin - cost desc, account_number rows between unbounded preceding and current row)
)
select account_id, period_month, 'margin_after_service' as tier_measure, (value * 0.01)::decimal(18, 2) as tier_amount, rank, so_far / nullif(total, 0)::double as cumulative_share,
    case when value < 0 then 'D' when value = 0 then 'N' when so_far - value < 0.80 * total then 'A' when so_far - value < 0.95 * total then 'B' else 'C' end as account_tier
from positive inner join numbered using (account_number);
