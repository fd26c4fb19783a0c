-- One row a change of a property. The number is made of the second (since 2000) and a hash, so it orders a ticket's history by time and is the same
-- in whatever file the change comes. Values of free text properties are left behind.
select
    source.record_number,
    source.ticket_id,
    coalesce(date_diff('second', timestamp '2000-01-01', try_cast(source.timestamp_instant as timestamp)), 0) * 4294967296
    + case
        when source.name = 'createdate' then 0
        else ('0x' || left(md5(concat_ws('|', 'property', source.name, source.timestamp_instant)), 8))::bigint
    end as event_number,
    source.timestamp_instant as event_at,
    case
        when source.source in ('CRM_UI', 'EMAIL', 'CONVERSATIONS', 'MOBILE_IOS', 'MOBILE_ANDROID') then 'agent'
        when source.source in ('AUTOMATION_PLATFORM', 'WORKFLOWS', 'CALCULATED', 'API', 'INTEGRATION') then 'system'
    end as actor_role,
    case
        when source.name = 'createdate' then 'created'
        when source.name = 'hs_pipeline_stage' then 'status_change'
        when source.name = 'hubspot_owner_id' then 'assignment'
        when source.name = 'hubspot_team_id' then 'group_change'
        else 'field_change'
    end as event_type,
    source.name as field_name,
    case
        when source.name = 'hs_pipeline_stage' and (stage.ticket_state = 'CLOSED' or lower(stage.is_closed) = 'true') then 'closed'
        when source.name = 'hs_pipeline_stage' and stage.ticket_state = 'OPEN' then 'open'
        when source.name in ('hs_pipeline_stage', 'hs_pipeline', 'hubspot_owner_id', 'hubspot_team_id', 'hs_ticket_priority', 'hs_ticket_category')
            then source.value
    end as new_value,
    case when source.name = 'hubspot_team_id' then coalesce(team.name, source.value) end as department_id,
    source.timestamp_instant as source_updated_at
from source
left join ticket_pipeline_stage as stage on source.name = 'hs_pipeline_stage' and source.value = stage.stage_id
left join team on source.name = 'hubspot_team_id' and source.value = team.id
