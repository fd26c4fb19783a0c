{{ latest_version('training_events', ['agent_id', 'module_id', 'started_at']) }}
