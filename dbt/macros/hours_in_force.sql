{# Rows of business hours with the day from which each holds no longer. A row without an end is ended by a later one of its schedule and weekday
   whose hours overlap its own: both cannot be meant. One that does not overlap, such as a second shift, or of another weekday, ends nothing. #}
{% macro hours_in_force() %}(
    select
        hours.schedule_id, hours.weekday, hours.start_minutes, hours.end_minutes, hours.time_zone, hours.valid_from_date,
        coalesce(hours.valid_to_date, min(later.valid_from_date)) as valid_to_date
    from {{ ref('stg_business_hours') }} as hours
    left join {{ ref('stg_business_hours') }} as later
        on hours.schedule_id = later.schedule_id and hours.weekday = later.weekday and hours.valid_from_date < later.valid_from_date
        and hours.start_minutes < later.end_minutes and later.start_minutes < hours.end_minutes and not later.is_deleted and later.is_overruled is not true
    where not hours.is_deleted and hours.is_overruled is not true
    group by hours.schedule_id, hours.weekday, hours.start_minutes, hours.end_minutes, hours.time_zone, hours.valid_from_date, hours.valid_to_date
){% endmacro %}
