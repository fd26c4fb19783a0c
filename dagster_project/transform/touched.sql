-- Which months stood, before this build, with rows that arrived batches change, and on which days arrived rows fall.
-- Read before any model of the run is built: the tables named here are those of the last build. A month too many costs time,
-- a month too few costs truth: where a dependency is not certain it counts. {zone} is the company's time zone as a literal.
-- Ids are compared as the sources write them, whichever system minted them. A withdrawn key arrives as a row with nothing but its key:
-- what it touches is told by the row that stands.

-- Who is found now and was not before, and who may have another survivor: all accounts that merges, old or new, connect with one that
-- arrived or whose merge did. A contact only stands for rows whose own account is not known.
create or replace temp table listed as select account_id from intermediate.int_core__account_merged;
create or replace temp table moved_account as
with recursive merges as (
    select from_account_id, to_account_id from staging.stg_account_merges
    union
    select from_account_id, to_account_id from arrived.account_merges
),
connected as (
    select from_account_id as account_id, to_account_id as other_account_id from merges
    union
    select to_account_id, from_account_id from merges
),
moved as (
    select account_id from arrived.accounts where is_withdrawn or account_id not in (select account_id from intermediate.int_core__account_listed)
    union
    select from_account_id from arrived.account_merges
    union
    select other_account_id from moved inner join connected using (account_id)
)
select account_id from moved;
create or replace temp table moved_contact as
select arrived.contact_id
from arrived.contacts as arrived
left join intermediate.int_core__account_resolved as resolved on arrived.contact_id = resolved.contact_id
where resolved.account_id is distinct from arrived.account_id
union
-- Of two systems that know a contact the other may now have the last word.
select contact_id from staging.stg_contacts semi join arrived.contacts using (contact_id) where is_overruled
union
select contact_id from staging.stg_contacts where account_id in (from moved_account);

-- Tickets that arrived, got or lost a contact, found their account, or share a survivor with one that did, also one that was not known.
create or replace temp table ticket_seed as
with recursive merged_into_arrived as (
    select ticket_id from arrived.tickets
    union
    select standing.ticket_id from staging.stg_tickets as standing inner join merged_into_arrived as arrived on standing.merged_into_ticket_id = arrived.ticket_id
)
select ticket_id from merged_into_arrived
union
select merged_into_ticket_id from arrived.tickets where merged_into_ticket_id is not null
union
select ticket_id from arrived.interactions where ticket_id is not null
union
select ticket_id from marts.fct_interaction semi join arrived.interactions using (interaction_id) where ticket_id is not null
union
select ticket_id from staging.stg_tickets where account_id in (from moved_account) or (contact_id in (from moved_contact) and (account_id is null or account_id not in (from listed)));
create or replace temp table survivor as
select surviving_ticket_id from intermediate.int_service__ticket_placed semi join ticket_seed using (ticket_id)
union
select ticket_id from ticket_seed;
create or replace temp table touched_ticket as
select ticket_id, period_month, solved_period_month, work_period_month
from intermediate.int_service__ticket_placed
semi join survivor using (surviving_ticket_id);
create or replace temp table followed_ticket as select ticket_id from touched_ticket union select ticket_id from ticket_seed;

-- Orders that arrived, got a line, found their account, or whose offer hangs on an interaction that arrived.
create or replace temp table order_seed as
select order_id from arrived.orders
union
select order_id from arrived.order_lines
union
select order_id from arrived.payments where paid_at is null
union
select order_id from staging.stg_orders where account_id in (from moved_account) or (contact_id in (from moved_contact) and (account_id is null or account_id not in (from listed)))
union
select order_id from staging.stg_orders where interaction_id in (select interaction_id from arrived.interactions);

insert into state.touched_month
select unnest([period_month, solved_period_month, work_period_month]) from touched_ticket
union
select period_month from marts.fct_interaction semi join followed_ticket using (ticket_id)
union
select period_month from marts.fct_interaction semi join arrived.interactions using (interaction_id)
union
select period_month from marts.fct_survey_response semi join followed_ticket using (ticket_id)
union
select period_month from marts.fct_survey_response semi join arrived.survey_responses using (response_id)
union
select period_month from marts.fct_survey_response semi join order_seed using (order_id)
union
select period_month from marts.fct_order semi join order_seed using (order_id)
union
select period_month from marts.fct_payment semi join order_seed using (order_id)
union
select period_month from marts.fct_payment semi join arrived.payments using (payment_id)
union
select period_month from marts.fct_refund semi join order_seed using (order_id)
union
select period_month from marts.fct_refund semi join arrived.refunds using (refund_id);

insert into state.touched_day
select distinct cast(instant at time zone {zone} as date)
from (
    select unnest([created_at, last_solved_at, closed_at]) as instant from arrived.tickets
    union all
    select started_at from arrived.interactions
    union all
    select started_at from staging.stg_interactions where account_id in (from moved_account) or (contact_id in (from moved_contact) and (account_id is null or account_id not in (from listed)))
    union all
    select ordered_at from arrived.orders
    union all
    select refunded_at from arrived.refunds
    union all
    select paid_at from arrived.payments
    union all
    select responded_at from arrived.survey_responses
    union all
    select responded_at from staging.stg_survey_responses where account_id in (from moved_account) or (contact_id in (from moved_contact) and (account_id is null or account_id not in (from listed)))
) as instants
where instant is not null
union
-- An average rate holds for its calendar month, which may lie in two fiscal ones.
select cast(unnest(generate_series(date_trunc('month', rate_date), last_day(rate_date), interval 1 day)) as date) from arrived.fx_rates;
delete from state.touched_month where period_month is null;
