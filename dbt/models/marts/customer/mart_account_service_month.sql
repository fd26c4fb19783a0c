{{ config(materialized='monthly') }}

with watermark as (
    select * from {{ ref('int_core__watermark') }}
),

cost_months as (
    select period_month, bool_or(cost_amount is null) as is_fx_missing, bool_or(is_provisional) as is_provisional
    from {{ rows_of('fct_cost_line') }} as lines
    where is_roi_basis
    group by period_month
),

object_cost as (
    select
        allocated.object_number,
        sum(allocated.cost_minor) as cost_minor,
        sum(case when lines.cost_category = 'people' then allocated.cost_minor end) as people_minor,
        sum(case when lines.cost_category = 'it' then allocated.cost_minor end) as it_minor,
        sum(case when lines.cost_category = 'facilities' then allocated.cost_minor end) as facilities_minor,
        sum(case when lines.cost_category = 'other' then allocated.cost_minor end) as other_minor
    from {{ rows_of('int_cost__object_allocated') }} as allocated
    inner join {{ ref('int_cost__line_placed') }} as lines on allocated.cost_line_number = lines.cost_line_number
    group by allocated.object_number
),

-- Each source is summed on its own before they meet; what a source does not know is null there and adds nothing.
-- A contact counts for the account that bears its cost: that of its ticket, no matter who called.
contacts as (
    select
        coalesce(tickets.account_id, interactions.account_id) as account_id,
        interactions.period_month,
        count(*) as contacts_count,
        count(case when interactions.channel = 'phone' then 1 end) as calls_count,
        sum(case when interactions.is_costed then interactions.handle_seconds end) as handle_seconds
    from {{ rows_of('fct_interaction') }} as interactions
    left join {{ ref('int_service__ticket_placed') }} as tickets on interactions.surviving_ticket_key = tickets.ticket_key
    where interactions.is_counted
    group by coalesce(tickets.account_id, interactions.account_id), interactions.period_month
),

tickets_created as (
    select account_id, period_month, count(*) as tickets_created_count, count(case when is_complaint then 1 end) as complaints_count
    from {{ rows_of('fct_ticket') }} as tickets
    where is_counted
    group by account_id, period_month
),

tickets_solved as (
    select account_id, solved_period_month as period_month, count(*) as tickets_solved_count
    from {{ rows_of('fct_ticket', 'solved_period_month') }} as tickets
    where is_counted and solved_period_month is not null
    group by account_id, solved_period_month
),

costs as (
    select
        objects.account_id, objects.period_month, sum(cost.cost_minor) as cost_minor, sum(cost.people_minor) as people_minor,
        sum(cost.it_minor) as it_minor, sum(cost.facilities_minor) as facilities_minor, sum(cost.other_minor) as other_minor
    from object_cost as cost
    inner join {{ rows_of('int_cost__object_weighted') }} as objects on cost.object_number = objects.object_number
    group by objects.account_id, objects.period_month
),

answers as (
    select account_id, period_month, count(case when is_top_box then 1 end) as csat_num, count(is_top_box) as csat_response_count,
        count(case when is_top_box is null then 1 end) as csat_unscaled_count
    from {{ rows_of('fct_survey_response') }} as responses
    where survey_metric = 'csat' and is_counted and survey_kind <> 'staff'
    group by account_id, period_month
),

account_months as (
    select account_id, period_month from contacts
    union
    select account_id, period_month from tickets_created
    union
    select account_id, period_month from tickets_solved
    union
    select account_id, period_month from costs
    union
    select account_id, period_month from answers
    union
    select 'UNALLOCATED' as account_id, period_month from cost_months where is_fx_missing
),

summed as (
    select
        account_months.account_id,
        account_months.period_month,
        cast(coalesce(contacts.contacts_count, 0) as bigint) as contacts_count,
        cast(coalesce(contacts.calls_count, 0) as bigint) as calls_count,
        cast(coalesce(contacts.handle_seconds, 0) as bigint) as handle_seconds,
        cast(coalesce(tickets_created.tickets_created_count, 0) as bigint) as tickets_created_count,
        cast(coalesce(tickets_created.complaints_count, 0) as bigint) as complaints_count,
        cast(coalesce(tickets_solved.tickets_solved_count, 0) as bigint) as tickets_solved_count,
        cast(coalesce(costs.cost_minor, 0) as bigint) as cost_minor,
        cast(coalesce(costs.people_minor, 0) as bigint) as people_minor,
        cast(coalesce(costs.it_minor, 0) as bigint) as it_minor,
        cast(coalesce(costs.facilities_minor, 0) as bigint) as facilities_minor,
        cast(coalesce(costs.other_minor, 0) as bigint) as other_minor,
        cast(coalesce(answers.csat_num, 0) as bigint) as csat_num,
        cast(coalesce(answers.csat_response_count, 0) as bigint) as csat_response_count,
        cast(coalesce(answers.csat_unscaled_count, 0) as bigint) as csat_unscaled_count
    from account_months
    left join contacts on account_months.account_id = contacts.account_id and account_months.period_month = contacts.period_month
    left join tickets_created on account_months.account_id = tickets_created.account_id and account_months.period_month = tickets_created.period_month
    left join tickets_solved on account_months.account_id = tickets_solved.account_id and account_months.period_month = tickets_solved.period_month
    left join costs on account_months.account_id = costs.account_id and account_months.period_month = costs.period_month
    left join answers on account_months.account_id = answers.account_id and account_months.period_month = answers.period_month
),

mart_account_service_month as (
    select
        summed.account_id,
        summed.period_month,
        watermark.reporting_currency_code as currency_code,
        case when periods.has_interactions then summed.contacts_count end as contacts_count,
        case when periods.has_interactions then summed.calls_count end as calls_count,
        case when periods.has_interactions then summed.handle_seconds end as handle_seconds,
        case when not periods.has_interactions then 'source_absent' end as contacts_null_reason,
        case when periods.has_tickets then summed.tickets_created_count end as tickets_created_count,
        case when periods.has_tickets then summed.tickets_solved_count end as tickets_solved_count,
        case when periods.has_tickets then summed.complaints_count end as complaints_count,
        case when not periods.has_tickets then 'source_absent' end as tickets_null_reason,
        case when not cost_months.is_fx_missing then {{ amount_of('summed.cost_minor', 'watermark.currency_decimals') }} end as service_cost_amount,
        case when not cost_months.is_fx_missing then {{ amount_of('summed.people_minor', 'watermark.currency_decimals') }} end as people_cost_amount,
        case when not cost_months.is_fx_missing then {{ amount_of('summed.it_minor', 'watermark.currency_decimals') }} end as it_cost_amount,
        case when not cost_months.is_fx_missing then {{ amount_of('summed.facilities_minor', 'watermark.currency_decimals') }} end as facilities_cost_amount,
        case when not cost_months.is_fx_missing then {{ amount_of('summed.other_minor', 'watermark.currency_decimals') }} end as other_cost_amount,
        coalesce(cost_months.is_provisional, false) as is_provisional,
        case when cost_months.period_month is null then 'source_absent' when cost_months.is_fx_missing then 'fx_missing' end as null_reason,
        case when watermark.has_survey_responses then summed.csat_num end as csat_num,
        case when watermark.has_survey_responses then summed.csat_response_count end as csat_response_count,
        case when watermark.has_survey_responses then summed.csat_unscaled_count end as csat_unscaled_count,
        case when not watermark.has_survey_responses then 'source_absent' end as csat_null_reason
    from summed
    inner join {{ rows_of('dim_period') }} as periods on summed.period_month = periods.period_month
    cross join watermark
    left join cost_months on summed.period_month = cost_months.period_month
)

select * from mart_account_service_month
