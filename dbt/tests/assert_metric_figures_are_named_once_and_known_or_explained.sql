-- Breaks: a reader who sums or joins mart_metric counts a figure twice, or takes an unknown one for a known one. Each figure has one row, and
-- a value or a reason.
select metric_id, period_month, period_kind, cut, member, count(*) as rows_count
from {{ ref('mart_metric') }}
group by metric_id, period_month, period_kind, cut, member
having count(*) > 1 or bool_or(value is null and null_reason is null) or bool_or(value is not null and null_reason is not null)
