select distinct
    unnest(list_filter([
        'issue_' || issue_code,
        'order_' || order_id,
        case when ticket_state = 'spam' then 'spam' when ticket_state = 'merged' then 'closed_by_merge' end,
        case when is_complaint = 'true' then 'complaint' end,
        case when is_problem_report = 'true' then 'problem_report' end,
        case when ticket_type in ('complaint', 'request') then 'type_' || ticket_type end,
        case when escalation_level <> '0' then 'escalation_' || escalation_level end
    ], tag -> tag is not null)) as tag,
    number(ticket_id) as ticket_id,
    synced() as _fivetran_synced
from tickets
order by ticket_id, tag
