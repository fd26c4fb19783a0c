{{ latest_version('ticket_events', ['ticket_id', 'event_number']) }}
