-- One row an admin. Intercom does not say since when, so the row holds from 1970 on; hiring, cost and leaving dates are known to the personnel system.
with teams as (
    select team_admin.admin_id, min(coalesce(team.name, team_admin.team_id)) as team_name
    from team_admin
    left join team on team_admin.team_id = team.id
    group by team_admin.admin_id
)

select
    source.record_number,
    source.id as agent_id,
    '1970-01-01' as valid_from_date,
    teams.team_name as team_id,
    teams.team_name as department_id,
    source.job_title as agent_role,
    lower(source._fivetran_deleted) = 'true' as is_deleted
from source
left join teams on source.id = teams.admin_id
