{{ latest_version('self_service_sessions', ['session_id']) }}
