{{ latest_version('agents', ['agent_id', 'valid_from_date']) }}
