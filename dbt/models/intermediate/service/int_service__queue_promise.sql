-- The half hours of each day in which a schedule is open from their first minute to their last, in the zone of the company.
with days as (
    select day, {{ days_between("date_trunc('week', day)", 'day') }} + 1 as weekday from {{ ref('int_core__period_day') }}
),

hours as (
    select hours.*
    from {{ hours_in_force() }} as hours
    cross join {{ ref('int_core__watermark') }} as watermark
    where hours.time_zone = watermark.company_time_zone
),

half_hours as (
    select interval_start_minutes from (values
        {% for minutes in range(0, 1440, 30) %}({{ minutes }}){{ ', ' if not loop.last }}{% endfor %}
    ) as listed (interval_start_minutes)
),

promised as (
    select distinct hours.schedule_id, days.day, cast(half_hours.interval_start_minutes as bigint) as interval_start_minutes
    from hours
    inner join days on hours.weekday = days.weekday and hours.valid_from_date <= days.day and (hours.valid_to_date is null or hours.valid_to_date > days.day)
    cross join half_hours
    where half_hours.interval_start_minutes >= hours.start_minutes and half_hours.interval_start_minutes + 30 <= hours.end_minutes and not exists (
        select 1 from {{ ref('stg_holidays') }} as holidays
        where holidays.schedule_id = hours.schedule_id and holidays.holiday_date = days.day and not holidays.is_deleted and holidays.is_overruled is not true
    )
)

select * from promised
