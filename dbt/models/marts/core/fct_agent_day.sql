-- Not monthly: a row of an agent that moves team, or whose cost is corrected, names no month.
with days as (
    select
        days.*,
        agents.team_id, agents.department_id, agents.site_id, agents.agent_role, agents.employment_kind, agents.hire_date, agents.floor_date,
        agents.transaction_hourly_cost_amount, agents.transaction_currency_code,
        agents.agent_id is not null as is_agent_known,
        -- 1 in the first month on the floor.
        case when days.work_date >= agents.floor_date then
            (year(days.work_date) - year(agents.floor_date)) * 12 + month(days.work_date) - month(agents.floor_date)
            + case when day(days.work_date) >= day(agents.floor_date) then 1 else 0 end
        end as floor_month
    from {{ ref('int_workforce__agent_day') }} as days
    left join {{ ref('dim_agent') }} as agents
        on days.agent_id = agents.agent_id
        and days.work_date >= agents.valid_from_date
        and (agents.valid_to_date is null or days.work_date < agents.valid_to_date)
),

-- Productivity of a month of the ramp is on a straight line, in ten-thousandths.
ramps as (
    select
        watermark.*,
        cast(watermark.ramp_first_share * 10000 as bigint) as first_share,
        cast(watermark.ramp_last_share * 10000 as bigint) as last_share
    from {{ ref('int_core__watermark') }} as watermark
),

fct_agent_day as (
    select
        days.agent_id,
        days.work_date,
        days.period_month,
        days.team_id,
        days.department_id,
        days.site_id,
        days.agent_role,
        days.employment_kind,
        days.is_agent_known,
        coalesce(days.work_date < days.floor_date, false) as is_trainee,
        {{ days_between('days.hire_date', 'days.work_date') }} as tenure_days,
        days.paid_seconds,
        days.talk_seconds,
        days.hold_seconds,
        days.wrap_seconds,
        days.chat_seconds,
        days.case_work_seconds,
        days.talk_seconds + days.hold_seconds + days.wrap_seconds + days.chat_seconds + days.case_work_seconds as handling_seconds,
        days.available_seconds,
        days.break_seconds,
        days.training_seconds,
        days.meeting_seconds,
        days.absence_seconds,
        days.paid_seconds - days.absence_seconds as worked_seconds,
        cast(cast({{ rounded_quotient('(days.paid_seconds - days.absence_seconds)', 'cast(ramps.normal_shift_hours * 3600 as bigint)', 1000000) }} as decimal(15, 0)) * cast(0.000001 as decimal(7, 6)) as decimal(18, 6)) as worked_shift_count,
        days.overtime_seconds,
        days.paid_seconds > 86400 as is_time_overlapping,
        days.contacts_handled_count,
        days.contacts_timed_count,
        days.handle_seconds,
        cast(cast(days.expected_handle_milliseconds as decimal(18, 0)) * cast(0.001 as decimal(4, 3)) as decimal(18, 3)) as expected_handle_seconds,
        days.call_seconds,
        days.talk_seconds + days.hold_seconds + days.wrap_seconds - days.call_seconds as call_difference_seconds,
        days.tickets_resolved_count,
        coalesce(max(days.paid_seconds - days.absence_seconds) over (partition by days.agent_id, days.period_month) > 0, false) as has_worked_in_month,
        case when days.floor_month between 1 and ramps.ramp_months then
            cast(cast(10000 - least(10000, ramps.first_share + {{ direction('ramps.last_share - ramps.first_share') }}
            * coalesce({{ integer_quotient('(days.floor_month - 1) * abs(ramps.last_share - ramps.first_share)', 'ramps.ramp_months - 1') }}, 0)) as decimal(9, 0)) * cast(0.0001 as decimal(5, 4)) as decimal(9, 4))
        when days.floor_month is not null then cast(0 as decimal(9, 4)) end as ramp_gap_share,
        {{ in_reporting_currency('days.transaction_hourly_cost_amount', 'days.transaction_currency_code').replace('watermark.', 'ramps.') }} as hourly_cost_amount
    from days
    cross join ramps
    left join {{ ref('int_core__fx_average') }} as fx on days.transaction_currency_code = fx.currency_code and days.period_month = fx.period_month
)

select * from fct_agent_day
