with watermark as (
    select * from {{ ref('int_core__watermark') }}
),

cost_months as (
    select distinct period_month from {{ ref('fct_cost_line') }} where is_roi_basis
),

object_cost as (
    select
        allocated.object_number,
        sum(allocated.cost_minor) as cost_minor,
        sum(case when lines.cost_category = 'people' then allocated.cost_minor else 0 end) as people_minor,
        sum(case when lines.cost_category = 'it' then allocated.cost_minor else 0 end) as it_minor,
        sum(case when lines.cost_category = 'facilities' then allocated.cost_minor else 0 end) as facilities_minor,
        sum(case when lines.cost_category = 'other' then allocated.cost_minor else 0 end) as other_minor
    from {{ ref('int_cost__object_allocated') }} as allocated
    inner join {{ ref('int_cost__line_placed') }} as lines on allocated.cost_line_number = lines.cost_line_number
    group by allocated.object_number
),

-- Every source gives rows of the same shape; what it does not know is 0 and adds nothing.
events as (
    select
        account_id, period_month,
        1 as contacts_count, case when channel = 'phone' then 1 else 0 end as calls_count,
        0 as tickets_created_count, 0 as tickets_solved_count, 0 as complaints_count,
        case when is_handled then coalesce(handle_seconds, 0) else 0 end as handle_seconds,
        0 as cost_minor, 0 as people_minor, 0 as it_minor, 0 as facilities_minor, 0 as other_minor, 0 as csat_num, 0 as csat_response_count
    from {{ ref('fct_interaction') }}
    where not is_deleted
    union all
    select account_id, period_month, 0, 0, 1, 0, case when is_complaint then 1 else 0 end, 0, 0, 0, 0, 0, 0, 0, 0
    from {{ ref('fct_ticket') }}
    where is_counted
    union all
    select account_id, solved_period_month, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0
    from {{ ref('fct_ticket') }}
    where is_counted and solved_period_month is not null
    union all
    select objects.account_id, objects.period_month, 0, 0, 0, 0, 0, 0, cost.cost_minor, cost.people_minor, cost.it_minor, cost.facilities_minor, cost.other_minor, 0, 0
    from object_cost as cost
    inner join {{ ref('int_cost__object_weighted') }} as objects on cost.object_number = objects.object_number
    union all
    select account_id, period_month, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, case when is_top_box then 1 else 0 end, 1
    from {{ ref('fct_survey_response') }}
    where survey_metric = 'csat' and answer_score is not null and not is_deleted and not is_partial
),

summed as (
    select
        account_id, period_month,
        cast(sum(contacts_count) as bigint) as contacts_count,
        cast(sum(calls_count) as bigint) as calls_count,
        cast(sum(tickets_created_count) as bigint) as tickets_created_count,
        cast(sum(tickets_solved_count) as bigint) as tickets_solved_count,
        cast(sum(complaints_count) as bigint) as complaints_count,
        cast(sum(handle_seconds) as bigint) as handle_seconds,
        cast(sum(cost_minor) as bigint) as cost_minor,
        cast(sum(people_minor) as bigint) as people_minor,
        cast(sum(it_minor) as bigint) as it_minor,
        cast(sum(facilities_minor) as bigint) as facilities_minor,
        cast(sum(other_minor) as bigint) as other_minor,
        cast(sum(csat_num) as bigint) as csat_num,
        cast(sum(csat_response_count) as bigint) as csat_response_count
    from events
    group by account_id, period_month
),

mart_account_service_month as (
    select
        summed.account_id,
        summed.period_month,
        watermark.reporting_currency_code as currency_code,
        case when watermark.has_interactions then summed.contacts_count end as contacts_count,
        case when watermark.has_interactions then summed.calls_count end as calls_count,
        case when watermark.has_interactions then summed.handle_seconds end as handle_seconds,
        case when not watermark.has_interactions then 'source_absent' end as contacts_null_reason,
        case when watermark.has_tickets then summed.tickets_created_count end as tickets_created_count,
        case when watermark.has_tickets then summed.tickets_solved_count end as tickets_solved_count,
        case when watermark.has_tickets then summed.complaints_count end as complaints_count,
        case when not watermark.has_tickets then 'source_absent' end as tickets_null_reason,
        case when cost_months.period_month is not null then {{ amount_of('summed.cost_minor') }} end as service_cost_amount,
        case when cost_months.period_month is not null then {{ amount_of('summed.people_minor') }} end as people_cost_amount,
        case when cost_months.period_month is not null then {{ amount_of('summed.it_minor') }} end as it_cost_amount,
        case when cost_months.period_month is not null then {{ amount_of('summed.facilities_minor') }} end as facilities_cost_amount,
        case when cost_months.period_month is not null then {{ amount_of('summed.other_minor') }} end as other_cost_amount,
        case when cost_months.period_month is null then 'source_absent' end as null_reason,
        case when watermark.has_survey_responses then summed.csat_num end as csat_num,
        case when watermark.has_survey_responses then summed.csat_response_count end as csat_response_count,
        case when not watermark.has_survey_responses then 'source_absent' end as csat_null_reason
    from summed
    cross join watermark
    left join cost_months on summed.period_month = cost_months.period_month
)

select * from mart_account_service_month
