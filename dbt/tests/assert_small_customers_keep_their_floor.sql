{{ config(severity='warn') }}
-- Warns: in the latest complete month small customers (tier C) were not given what they are promised, or much less than tier A.
select 'mart_standard_attainment' as relation, standard_id, period_month, value, target_value, tier_gap_value
from {{ ref('mart_standard_attainment') }}
where not is_floor_kept and period_month = (select max(period_month) from {{ ref('mart_standard_attainment') }} where is_complete_period)
