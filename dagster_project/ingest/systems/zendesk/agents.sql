-- One row an agent or admin, from the day the user was created. Teams, sites, cost and leaving dates are known to the personnel system only.
select
    record_number,
    coalesce(external_id, id) as agent_id,
    left(created_at, 10) as valid_from_date,
    role as agent_role,
    updated_at as source_updated_at,
    coalesce(lower(active) = 'false' or lower(_fivetran_deleted) = 'true', false) as is_deleted
from source
where role in ('agent', 'admin')
