with recursive placed as (
    select * from {{ ref('int_service__ticket_placed') }}
),

-- The ticket that each surviving ticket follows up, after merges of both.
steps as (
    select own.surviving_ticket_key as ticket_key, min({{ of_named('parents', 'surviving_ticket_key') }}) as parent_ticket_key
    from {{ ref('stg_tickets') }} as tickets
    inner join placed as own on {{ key_of('tickets', 'ticket_id') }} = own.ticket_key
    {{ left_join_named('placed', 'parents', 'ticket_key', 'tickets', 'follow_up_of_ticket_id') }}
    where
        tickets.follow_up_of_ticket_id is not null and own.surviving_ticket_key = own.ticket_key
        and {{ of_named('parents', 'surviving_ticket_key') }} <> own.ticket_key
    group by own.surviving_ticket_key
),

-- Walked from the first tickets down, so a circle is never entered: its tickets stay themselves.
followed as (
    select steps.ticket_key, steps.parent_ticket_key as first_ticket_key
    from steps
    where not exists (select 1 from steps as further where further.ticket_key = steps.parent_ticket_key)
    union all
    select steps.ticket_key, followed.first_ticket_key
    from steps
    inner join followed on steps.parent_ticket_key = followed.ticket_key
)

select * from followed
