{{ latest_version('contacts', ['contact_id']) }}
