{{ latest_version('refunds', ['refund_id']) }}
