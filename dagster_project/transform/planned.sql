-- Which months a run would rebuild and why, asked before it runs: what touched.sql found, and what the models would add to it
-- (int_core__touched_month). Reads the last build as schemas of the same names; {zone} is the company's time zone as a literal.
create or replace temp table last_day_known as
select as_of_date, (select max(day) from intermediate.int_core__period_day) as last_day from intermediate.int_core__watermark;
create or replace temp table period_now as
select period_month, fiscal_period, fiscal_year, min(day) as first_day, max(day) as last_day from intermediate.int_core__period_day group by all;

-- The watermark follows the latest activity, and a ledger month up to the day it was posted.
create or replace temp table as_of as
select greatest((select as_of_date from last_day_known), (select max(cast(instant at time zone {zone} as date)) from (
    select max(case when not is_deleted then created_at end) as instant from arrived.tickets
    union all
    select max(case when not is_deleted then started_at end) from arrived.interactions
    union all
    select max(case when not is_deleted then ordered_at end) from arrived.orders
    union all
    select max(case when not is_deleted then refunded_at end) from arrived.refunds
    union all
    select max(case when not is_deleted then responded_at end) from arrived.survey_responses
)), (
    select max(least(cast(posted_at at time zone {zone} as date), coalesce(last_day, last_day(try_cast(fiscal_period || '-01' as date)))))
    from arrived.ledger_actuals left join period_now using (fiscal_period) where not is_deleted
)) as day;

create or replace temp table planned as
select period_month, 'records arrived' as why from state.touched_month
union
select coalesce(days.period_month, date_trunc('month', touched.day)), 'records arrived'
from state.touched_day as touched left join intermediate.int_core__period_day as days using (day)
union
select coalesce(period_month, try_cast(fiscal_period || '-01' as date)), 'ledger lines arrived'
from (
    select fiscal_period from arrived.ledger_actuals
    union all
    select fiscal_period from staging.stg_ledger_actuals semi join arrived.ledger_actuals using (journal_id, line_number, book_id)
) as lines left join period_now using (fiscal_period)
union
select coalesce(named.period_month, try_cast(budgets.fiscal_period || '-01' as date)), 'a budget arrived'
from (
    select fiscal_period from arrived.budgets
    union all
    select fiscal_period from staging.stg_budgets semi join arrived.budgets using (budget_version_id, line_id)
) as budgets
left join period_now as named on budgets.fiscal_period = named.fiscal_period or budgets.fiscal_period = named.fiscal_year
union
select spread.period_month, 'a budget comes into force'
from intermediate.int_cost__budget_spread as spread, last_day_known, as_of
where cast(spread.version_effective_at at time zone {zone} as date) > last_day_known.as_of_date
    and cast(spread.version_effective_at at time zone {zone} as date) <= as_of.day
union
select coalesce(days.period_month, date_trunc('month', arrived.start_date)), 'the fiscal calendar changes'
from (select fiscal_period, fiscal_year, start_date, end_date, close_state, is_deleted from arrived.fiscal_periods
      except select fiscal_period, fiscal_year, start_date, end_date, close_state, is_deleted from staging.stg_fiscal_periods) as arrived
left join intermediate.int_core__period_day as days on days.day between arrived.start_date and arrived.end_date
union
select period_month, 'the fiscal calendar changes'
from intermediate.int_core__period_day semi join (select fiscal_period from arrived.fiscal_periods where is_withdrawn) as withdrawn using (fiscal_period)
union
select period_month, 'becomes complete' from intermediate.int_core__period_day, last_day_known, as_of
where end_date > as_of_date and end_date <= as_of.day
union
select date_trunc('month', delivered.day), 'a month begins'
from (select max(delivery_date) as day from lake.batches) as delivered, last_day_known where delivered.day > last_day_known.last_day
