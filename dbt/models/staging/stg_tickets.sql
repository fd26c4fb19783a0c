{{ latest_version('tickets', ['ticket_id']) }}
