-- Built completely in each run: readings are few, and a pool's cost changes with the ledger.
with readings as (
    select
        days.period_month, {{ key_of('usage', 'tool_id') }} as tool_id, usage.pool_id, usage.usage_date,
        sum(case when usage.licensed_seats_count is not null then usage.active_users_count end) as active_users_count,
        sum(case when usage.active_users_count is not null then usage.licensed_seats_count end) as counted_seats_count,
        sum(usage.licensed_seats_count) as licensed_seats_count,
        sum(case when usage.licensed_seats_count is not null then usage.used_seats_count end) as used_seats_count,
        sum(case when usage.used_seats_count is not null then usage.licensed_seats_count end) as metered_seats_count,
        sum(coalesce(usage.downtime_minutes, 0)) as downtime_minutes
    from {{ ref('stg_tool_usage') }} as usage
    inner join {{ ref('int_core__period_day') }} as days on usage.usage_date = days.day
    where not usage.is_deleted
    group by days.period_month, {{ key_of('usage', 'tool_id') }}, usage.pool_id, usage.usage_date
),

-- Adoption is of the readings that count users and seats, use of those that count seats in use; seats are paid for on all days.
tools as (
    select
        period_month, tool_id, pool_id,
        count(*) as readings_count,
        count(active_users_count) as counted_days,
        cast(sum(active_users_count) as bigint) as active_user_days,
        cast(sum(counted_seats_count) as bigint) as licensed_seat_days,
        cast(coalesce(sum(licensed_seats_count), 0) as bigint) as paid_seat_days,
        cast(sum(used_seats_count) as bigint) as used_seat_days,
        cast(sum(metered_seats_count) as bigint) as metered_seat_days,
        cast(sum(downtime_minutes) as bigint) as downtime_minutes
    from readings
    group by period_month, tool_id, pool_id
),

pools as (
    select period_month, pool_id, {{ minor_units('sum(cost_amount)', 'max(currency_decimals)') }} as pool_minor, count(case when cost_amount is null then 1 end) as unpriced_count
    from {{ ref('int_cost__line_placed') }}
    where is_roi_basis
    group by period_month, pool_id
),

-- Tools of one pool share its cost by licensed seats, to the minor unit.
shared as (
    select
        tools.period_month, tools.tool_id, tools.pool_id, pools.pool_minor, pools.unpriced_count,
        cast(tools.period_month as string) || '|' || tools.pool_id as pool_key,
        tools.paid_seat_days as seats
    from tools
    inner join pools on tools.period_month = pools.period_month and tools.pool_id = pools.pool_id
),

handed as (
    {{ largest_remainder('shared', 'pool_key', 'pool_minor', 'seats', 'tool_id') }}
),

costed as (
    select
        tools.*,
        watermark.currency_decimals,
        case when handed.unpriced_count = 0 then handed.base_minor + handed.bonus_minor * handed.bonus_count end as cost_minor,
        case
            when tools.pool_id is null then 'pool_unknown'
            when pools.pool_id is null then 'source_absent'
            when pools.unpriced_count > 0 then 'fx_missing'
            when handed.tool_id is null then 'zero_denominator'
        end as cost_null_reason
    from tools
    cross join {{ ref('int_core__watermark') }} as watermark
    left join pools on tools.period_month = pools.period_month and tools.pool_id = pools.pool_id
    left join handed on tools.period_month = handed.period_month and tools.tool_id = handed.tool_id and tools.pool_id = handed.pool_id
),

mart_tool_month as (
    select
        period_month,
        tool_id,
        pool_id,
        readings_count,
        active_user_days,
        licensed_seat_days,
        used_seat_days,
        metered_seat_days,
        downtime_minutes,
        cast(cast({{ rounded_quotient('active_user_days', 'counted_days', 10000) }} as decimal(14, 0)) * cast(0.0001 as decimal(5, 4)) as decimal(18, 4)) as active_user_count,
        case when active_user_days is null then 'source_absent' when licensed_seat_days = 0 then 'zero_denominator' end as adoption_null_reason,
        {{ amount_of('cost_minor', 'currency_decimals') }} as cost_amount,
        cost_null_reason,
        -- Cost times the part of the seats that nobody used; 0 where there are more users than seats.
        case when licensed_seat_days > 0 then
            {{ amount_of('cast(' ~ rounded_quotient(wide_integer('cost_minor') ~ ' * greatest(0, licensed_seat_days - active_user_days)', 'licensed_seat_days') ~ ' as bigint)', 'currency_decimals') }}
        end as shelfware_cost_amount,
        coalesce(cost_null_reason, case when active_user_days is null then 'source_absent' when licensed_seat_days = 0 then 'zero_denominator' end) as shelfware_null_reason
    from costed
)

select * from mart_tool_month
