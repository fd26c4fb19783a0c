-- What customers' waiting is worth is a memo: in no cost, and in no ROI.
with parameters as (
    select customer_hour_value_amount, {{ currency_decimals('reporting_currency_code') }} as currency_decimals from {{ source('lake', 'run_parameters') }}
),

hours as (
    select currency_decimals, {{ minor_units('customer_hour_value_amount', 'currency_decimals') }} as hour_value_minor from parameters
),

waits as (
    select period_month, channel, queue, department_id, cast(sum(wait_known_count) as bigint) as waits_known_count, cast(sum(case when wait_known_count is not null then wait_seconds end) as bigint) as wait_seconds
    from {{ ref('mart_queue_interval') }}
    where is_counted and period_month is not null
    group by period_month, channel, queue, department_id
)

select
    waits.period_month,
    waits.channel,
    waits.queue,
    waits.department_id,
    waits.waits_known_count,
    waits.wait_seconds,
    cast(cast({{ rounded_quotient('waits.wait_seconds', '3600', 1000000) }} as decimal(18, 0)) * cast(0.000001 as decimal(7, 6)) as decimal(18, 6)) as waited_hours,
    {{ amount_of('cast(' ~ rounded_quotient('(' ~ wide_integer('waits.wait_seconds') ~ ' * hours.hour_value_minor)', '3600') ~ ' as bigint)', 'hours.currency_decimals') }} as waited_memo_amount,
    case when waits.wait_seconds is null then 'not_measured' end as wait_null_reason,
    case when hours.hour_value_minor is null then 'source_absent' when waits.wait_seconds is null then 'not_measured' end as memo_null_reason
from waits
cross join hours
