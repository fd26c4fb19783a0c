{{ latest_version('interactions', ['interaction_id']) }}
