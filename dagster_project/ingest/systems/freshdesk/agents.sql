-- One row an agent, from the day the agent was created. Teams, sites, cost and leaving dates are known to the personnel system only.
select
    record_number,
    id as agent_id,
    left(created_at, 10) as valid_from_date,
    case when lower(occasional) = 'true' then 'occasional' else coalesce(type, 'agent') end as agent_role,
    updated_at as source_updated_at
from source
