{# Business seconds from the creation of a ticket to instants of it: one row per ticket and `point` of the relation `points` (ticket_key, point,
   instant). By the schedule in force in each interval, as int_service__ticket_interval has it; no row where one has none. #}
{% macro business_at(points) -%}
select
    points.ticket_key, points.point,
    max(intervals.business_before_seconds - intervals.opened_before_seconds + {{ opened_seconds('spans', 'points.instant') }}) as business_seconds
from {{ points }} as points
inner join {{ rows_of('int_service__ticket_interval') }} as intervals
    on points.ticket_key = intervals.ticket_key and points.instant >= intervals.started_at and (intervals.ended_at is null or points.instant < intervals.ended_at)
inner join {{ ref('int_service__open_span') }} as spans on intervals.schedule_id = spans.schedule_id and {{ business_date('points.instant', "'UTC'") }} = spans.utc_date
where intervals.business_before_seconds is not null
group by points.ticket_key, points.point
{%- endmacro %}
