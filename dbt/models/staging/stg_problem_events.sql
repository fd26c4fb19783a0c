{{ latest_version('problem_events', ['problem_event_id'], 'lake') }}
