{{ latest_version('payments', ['payment_id']) }}
