{{ latest_version('orders', ['order_id']) }}
