{{ latest_version('agent_time', ['agent_id', 'work_date', 'agent_state']) }}
