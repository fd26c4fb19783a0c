{{ latest_version('service_standards', ['standard_id', 'valid_from_date']) }}
