-- Hours of business as instants, cut at midnight UTC, so that a clock finds its place by schedule and day and needs no row in between.
with watermark as (
    select * from {{ ref('int_core__watermark') }}
),

-- A reply may be due a year after the last day of the data (docs/decisions/0037-ticket-clocks.md).
days as (
    select {{ day_series('cast(watermark.first_date - interval 2 day as date)', 'cast(watermark.last_date + interval 368 day as date)') }} as day
    from watermark
),

delivered as (
    select * from {{ hours_in_force() }} as hours
),

alone as (
    select min(schedule_id) as schedule_id from delivered having count(distinct schedule_id) = 1
),

-- The schedule of the company where no other holds: the one of this name, else the only one.
hours as (
    select schedule_id, valid_from_date, valid_to_date, weekday, start_minutes, end_minutes, time_zone from delivered
    union all
    select 'default' as schedule_id, delivered.valid_from_date, delivered.valid_to_date, delivered.weekday, delivered.start_minutes, delivered.end_minutes, delivered.time_zone
    from delivered
    inner join alone on delivered.schedule_id = alone.schedule_id
    where delivered.schedule_id <> 'default'
),

closed as (
    select schedule_id, holiday_date from {{ ref('stg_holidays') }} where not is_deleted and is_overruled is not true
),

holidays as (
    select schedule_id, holiday_date from closed
    union
    select 'default' as schedule_id, closed.holiday_date from closed inner join alone on closed.schedule_id = alone.schedule_id
),

opened as (
    select
        hours.schedule_id,
        {{ local_instant('days.day', 'hours.start_minutes', 'hours.time_zone') }} as opens_at,
        {{ local_instant('days.day', 'hours.end_minutes', 'hours.time_zone') }} as closes_at
    from hours
    inner join days
        on hours.valid_from_date <= days.day and (hours.valid_to_date is null or hours.valid_to_date > days.day)
        and hours.weekday = {{ days_between("cast(date_trunc('week', days.day) as date)", 'days.day') }} + 1
    where not exists (select 1 from holidays where holidays.schedule_id = hours.schedule_id and holidays.holiday_date = days.day)
),

-- A minute in two spans is one minute.
spans as (
    select
        schedule_id, closes_at,
        greatest(opens_at, max(closes_at) over (partition by schedule_id order by opens_at, closes_at rows between unbounded preceding and 1 preceding)) as opens_at
    from opened
),

schedule_days as (
    select
        hours.schedule_id, days.day as utc_date, {{ local_instant('days.day', '0', "'UTC'") }} as begins_at, {{ local_instant('days.day', '1440', "'UTC'") }} as ends_at,
        bool_or(days.day >= hours.valid_from_date and (hours.valid_to_date is null or days.day < hours.valid_to_date)) as is_in_force
    from hours
    cross join days
    group by hours.schedule_id, days.day
),

cut as (
    select
        schedule_days.schedule_id, schedule_days.utc_date, schedule_days.is_in_force,
        greatest(spans.opens_at, schedule_days.begins_at) as opens_at, least(spans.closes_at, schedule_days.ends_at) as closes_at
    from schedule_days
    inner join spans on schedule_days.schedule_id = spans.schedule_id and schedule_days.ends_at > spans.opens_at and schedule_days.begins_at < spans.closes_at
    where spans.opens_at < spans.closes_at
),

counted as (
    select
        schedule_days.schedule_id, schedule_days.utc_date, schedule_days.is_in_force, cut.opens_at, cut.closes_at,
        coalesce(cast(sum({{ elapsed_seconds('cut.opens_at', 'cut.closes_at') }}) over (partition by schedule_days.schedule_id order by schedule_days.utc_date, cut.opens_at rows between unbounded preceding and 1 preceding) as bigint), 0) as opened_seconds
    from schedule_days
    left join cut on schedule_days.schedule_id = cut.schedule_id and schedule_days.utc_date = cut.utc_date
),

open_span as (
    select counted.*, min(opened_seconds) over (partition by schedule_id, utc_date) as day_opened_seconds from counted
)

select * from open_span
