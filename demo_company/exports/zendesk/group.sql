select
    name_id(department_id) as id,
    'FALSE' as _fivetran_deleted,
    synced() as _fivetran_synced,
    min(created_at) as created_at,
    department_id as name,
    max(created_at) as updated_at
from (
    select department_id, getvariable('day') || ' 00:00:00' as created_at from tickets
    union all
    select department_id, getvariable('day') || ' 00:00:00' from interactions
    union all
    select department_id, getvariable('day') || ' 00:00:00' from ticket_events
)
where department_id is not null
group by department_id
order by name
