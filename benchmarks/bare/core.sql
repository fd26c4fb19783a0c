-- Dimensions and facts. Times are UTC, fiscal months are calendar months, every feed is there: the bare script may know its company.
create temp table as_of as
select greatest(
    (select max(created_at) from tickets), (select max(started_at) from interactions), (select max(ordered_at) from orders),
    (select max(refunded_at) from refunds), (select max(responded_at) from survey_responses), (select max(posted_at) from ledger_actuals)
)::date as as_of_date;

create table marts.dim_period as
select start_date as period_month, fiscal_period, fiscal_year, start_date, end_date, close_state, end_date <= as_of_date as is_complete_period
from fiscal_periods cross join as_of order by start_date;

create table marts.dim_account as
select account_id, account_kind, lifecycle_state, segment, country_code, currency_code, language_code, created_at, closed_at, close_reason, false as is_pseudo from accounts
union all by name
select unnest(['ACCOUNT_UNKNOWN', 'NON_CUSTOMER', 'UNALLOCATED', 'UNUSED_CAPACITY']) as account_id, true as is_pseudo;

create temp table resolved as
select contacts.contact_id, coalesce(accounts.account_id, 'ACCOUNT_UNKNOWN') as account_id
from contacts left join accounts using (account_id);

create temp table fx as
select date_trunc('month', rate_date)::date as period_month, from_currency_code as currency_code, exchange_rate from fx_rates where rate_type = 'average' and to_currency_code = 'EUR'
union all
select start_date, 'EUR', 1::decimal(18, 8) from fiscal_periods;

create table marts.fct_order as
select
    orders.order_id, coalesce(accounts.account_id, resolved.account_id, 'ACCOUNT_UNKNOWN') as account_id, orders.order_kind, orders.sales_channel,
    orders.financial_state, orders.order_state, orders.offer_id, orders.interaction_id, orders.is_test, orders.is_test is false and orders.cancelled_at is null as is_counted,
    orders.gross_amount as transaction_gross_amount, orders.net_amount as transaction_net_amount, orders.currency_code as transaction_currency_code,
    round(orders.net_amount::decimal(38, 2) * fx.exchange_rate, 2)::decimal(18, 2) as net_amount, round(orders.shipping_amount::decimal(38, 2) * fx.exchange_rate, 2)::decimal(18, 2) as shipping_amount,
    'EUR' as currency_code, fx.exchange_rate is null as is_fx_missing, fx.exchange_rate,
    orders.ordered_at::date as order_date, date_trunc('month', orders.ordered_at)::date as period_month, orders.ordered_at
from orders
left join accounts on orders.account_id = accounts.account_id
left join resolved on orders.contact_id = resolved.contact_id
left join fx on orders.currency_code = fx.currency_code and date_trunc('month', orders.ordered_at)::date = fx.period_month;

create table marts.fct_order_line_net as
select
    lines.order_id, lines.line_id, coalesce(o.account_id, 'ACCOUNT_UNKNOWN') as account_id, o.order_kind, lines.line_kind, lines.product_id, lines.product_family,
    lines.quantity, lines.unit_price, lines.net_amount as transaction_net_amount, o.transaction_currency_code,
    round(lines.net_amount::decimal(38, 2) * o.exchange_rate, 2)::decimal(18, 2) as net_amount, 'EUR' as currency_code,
    round(round(lines.unit_cost * lines.quantity, 2)::decimal(38, 2) * o.exchange_rate, 2)::decimal(18, 2) as cost_amount,
    round(lines.net_amount::decimal(38, 2) * o.exchange_rate, 2)::decimal(18, 2) - round(round(lines.unit_cost * lines.quantity, 2)::decimal(38, 2) * o.exchange_rate, 2)::decimal(18, 2) as margin_amount,
    o.order_kind = 'sale' and lines.quantity > 0 and lines.unit_price > 0 as is_gross_sale, o.is_test, coalesce(o.is_counted, false) as is_counted,
    o.order_id is null as is_orphan, o.is_fx_missing, o.order_date, o.period_month, o.ordered_at
from order_lines as lines left join marts.fct_order as o on lines.order_id = o.order_id;

create table marts.fct_refund as
select
    r.refund_id, r.order_id, r.line_id, o.account_id, r.refund_reason, r.is_chargeback, r.is_restocked,
    r.refund_amount as transaction_refund_amount, r.currency_code as transaction_currency_code,
    round(r.refund_amount::decimal(38, 2) * fx.exchange_rate, 2)::decimal(18, 2) as refund_amount, 'EUR' as currency_code,
    case when r.is_restocked then round(round(lines.unit_cost * r.returned_quantity, 2)::decimal(38, 2) * fx.exchange_rate, 2)::decimal(18, 2) else 0 end as recovered_cost_amount,
    o.is_counted, date_trunc('month', r.refunded_at)::date as period_month, r.refunded_at
from refunds as r
left join marts.fct_order as o on r.order_id = o.order_id
left join order_lines as lines on r.order_id = lines.order_id and r.line_id = lines.line_id
left join fx on r.currency_code = fx.currency_code and date_trunc('month', o.ordered_at)::date = fx.period_month;

create table marts.fct_payment as
select
    p.payment_id, p.order_id, o.account_id, p.payment_method, p.instalment_count, p.payment_amount as transaction_payment_amount,
    p.currency_code as transaction_currency_code, round(p.payment_amount::decimal(38, 2) * fx.exchange_rate, 2)::decimal(18, 2) as payment_amount, 'EUR' as currency_code,
    o.is_counted, date_trunc('month', p.paid_at)::date as period_month, p.paid_at
from payments as p
left join marts.fct_order as o on p.order_id = o.order_id
left join fx on p.currency_code = fx.currency_code and date_trunc('month', p.paid_at)::date = fx.period_month;

create table marts.fct_ticket as
with recursive merges as (
    select ticket_id, merged_into_ticket_id from tickets where ticket_state = 'merged' and merged_into_ticket_id is not null
),
survivors as (
    select merges.ticket_id, tickets.ticket_id as surviving_ticket_id
    from merges inner join tickets on merges.merged_into_ticket_id = tickets.ticket_id
    where not exists (select 1 from merges as further where further.ticket_id = tickets.ticket_id)
    union all
    select merges.ticket_id, survivors.surviving_ticket_id from merges inner join survivors on merges.merged_into_ticket_id = survivors.ticket_id
)
select
    t.ticket_id, coalesce(s.surviving_ticket_id, t.ticket_id) as surviving_ticket_id,
    case when t.ticket_state = 'spam' then 'NON_CUSTOMER' else coalesce(a.account_id, r.account_id, 'ACCOUNT_UNKNOWN') end as account_id,
    t.order_id, t.channel, t.department_id, t.assignee_id, t.ticket_state, t.ticket_type, t.priority, t.issue_code, t.escalation_level,
    t.is_complaint, t.is_problem_report, t.reopen_count, t.handle_seconds, t.is_deleted,
    t.created_at::date as created_date, date_trunc('month', t.created_at)::date as period_month,
    date_trunc('month', t.last_solved_at)::date as solved_period_month, date_trunc('month', coalesce(t.last_solved_at, t.created_at))::date as work_period_month,
    t.created_at, t.first_solved_at, t.last_solved_at, t.closed_at
from tickets as t
left join survivors as s on t.ticket_id = s.ticket_id
left join accounts as a on t.account_id = a.account_id
left join resolved as r on t.contact_id = r.contact_id;

create table marts.fct_interaction as
select
    i.interaction_id, i.ticket_id, t.surviving_ticket_id,
    case when t.ticket_state = 'spam' then 'NON_CUSTOMER' else coalesce(a.account_id, r.account_id, t.account_id, 'ACCOUNT_UNKNOWN') end as account_id,
    i.channel, i.direction, i.queue, i.outcome, i.agent_id, i.department_id, i.queue_seconds, i.talk_seconds, i.hold_seconds, i.wrap_seconds, i.concurrency,
    i.outcome = 'answered' or coalesce(i.talk_seconds, 0) > 0 as is_handled,
    case when coalesce(i.talk_seconds, i.hold_seconds, i.wrap_seconds) is not null
        then floor((coalesce(i.talk_seconds, 0) + coalesce(i.hold_seconds, 0) + coalesce(i.wrap_seconds, 0)) / coalesce(i.concurrency, 1))::bigint end as handle_seconds,
    i.transfer_count, i.started_at::date as started_date, date_trunc('month', i.started_at)::date as period_month, i.started_at, i.answered_at, i.ended_at
from interactions as i
left join marts.fct_ticket as t on i.ticket_id = t.ticket_id
left join accounts as a on i.account_id = a.account_id
left join resolved as r on i.contact_id = r.contact_id;

create table marts.fct_survey_response as
select
    s.response_id, s.question_key, coalesce(a.account_id, r.account_id, t.account_id, 'ACCOUNT_UNKNOWN') as account_id, s.ticket_id, s.survey_kind, s.survey_metric,
    s.scale_min, s.scale_max, s.score, s.comment is not null as has_comment, length(s.comment) as comment_character_count, s.channel,
    s.responded_at::date as responded_date, date_trunc('month', s.responded_at)::date as period_month, s.responded_at
from survey_responses as s
left join accounts as a on s.account_id = a.account_id
left join resolved as r on s.contact_id = r.contact_id
left join marts.fct_ticket as t on s.ticket_id = t.ticket_id;

drop table tickets;
drop table interactions;
drop table orders;
drop table order_lines;
drop table payments;
drop table refunds;
drop table survey_responses;
drop table contacts;
