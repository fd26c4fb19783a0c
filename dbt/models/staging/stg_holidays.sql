{{ latest_version('holidays', ['schedule_id', 'holiday_date']) }}
