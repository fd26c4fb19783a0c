{{ latest_version('tool_usage', ['tool_id', 'usage_date', 'site_id']) }}
