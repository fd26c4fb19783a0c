{{ latest_version('business_hours', ['schedule_id', 'valid_from_date', 'weekday', 'start_minutes']) }}
