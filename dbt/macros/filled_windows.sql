{#
What was counted by month and window, with a row of each month and window in which nothing was. A month of which nothing is mature is
unknown (`is_known`); within another a member without any has 0. `total` is the column of all, mature or not; `begun` the column of
`months` that says whether the feed has begun.
#}
{% macro filled_windows(months, counted, total, begun) -%}
select
    {{ counted }}.*, {{ months }}.period_month as month, {{ months }}.window_days as days, {{ months }}.{{ begun }},
    sum(coalesce({{ counted }}.mature_count, 0)) over (partition by {{ months }}.period_month, {{ months }}.window_days) > 0
    or sum(coalesce({{ counted }}.{{ total }}, 0)) over (partition by {{ months }}.period_month, {{ months }}.window_days) = 0 as is_known
from {{ months }}
left join {{ counted }} on {{ months }}.period_month = {{ counted }}.period_month and {{ months }}.window_days = {{ counted }}.window_days
{%- endmacro %}
