-- One row an owner, from the day it was created, in its primary team. Cost and leaving dates are known to the personnel system only.
with teams as (
    select owner_team.owner_id, min(coalesce(team.name, owner_team.team_id)) as team_name
    from owner_team
    left join team on owner_team.team_id = team.id
    where lower(owner_team.is_team_primary) = 'true'
    group by owner_team.owner_id
)

select
    source.record_number,
    source.owner_id as agent_id,
    left(source.created_at, 10) as valid_from_date,
    teams.team_name as team_id,
    teams.team_name as department_id,
    lower(source.type) as agent_role,
    source.updated_at as source_updated_at
from source
left join teams on source.owner_id = teams.owner_id
