{{ config(materialized='monthly') }}

with fct_ticket as (
    select
        placed.ticket_key,
        tickets.ticket_id,
        placed.account_id,
        placed.surviving_ticket_key,
        placed.surviving_ticket_id,
        tickets.contact_id,
        tickets.order_id,
        tickets.department_id,
        tickets.group_id,
        tickets.assignee_id,
        tickets.ticket_state,
        tickets.channel,
        tickets.priority,
        tickets.ticket_type as ticket_kind,
        tickets.issue_family,
        tickets.issue_code,
        tickets.product_id,
        tickets.escalation_level,
        tickets.resolution_code,
        tickets.is_complaint,
        tickets.is_problem_report,
        tickets.is_deleted or tickets.ticket_state = 'deleted' as is_deleted,
        tickets.ticket_state = 'spam' as is_spam,
        placed.surviving_ticket_key <> placed.ticket_key as is_merged,
        placed.is_merge_broken,
        not tickets.is_deleted and tickets.ticket_state not in ('deleted', 'spam') and placed.surviving_ticket_key = placed.ticket_key as is_counted,
        placed.account_id = 'ACCOUNT_UNKNOWN' as is_orphan,
        placed.is_handle_time_limited,
        tickets.reopen_count,
        tickets.handle_seconds,
        placed.created_date,
        placed.period_month,
        placed.solved_date,
        placed.solved_period_month,
        tickets.created_at,
        tickets.first_solved_at,
        placed.solved_at
    from {{ rows_near('stg_tickets', 'created_at') }} as tickets
    inner join {{ rows_of('int_service__ticket_placed') }} as placed on {{ key_of('tickets', 'ticket_id') }} = placed.ticket_key
)

select * from fct_ticket
