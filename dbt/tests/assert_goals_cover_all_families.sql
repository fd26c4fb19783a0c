{{ config(severity='warn') }}
-- Warns: the standards name no goal of a family; a company that measures only cost improves only cost.
with families as (
    select goal_kind from (values ('raise_value'), ('cut_cost'), ('raise_satisfaction'), ('use_resources')) as listed (goal_kind)
)

select 'service_standards' as relation, families.goal_kind
from families
where
    exists (select 1 from {{ ref('dim_standard') }})
    and not exists (select 1 from {{ ref('dim_standard') }} as standards where standards.goal_kind = families.goal_kind and standards.is_countable and standards.valid_to_date is null)
