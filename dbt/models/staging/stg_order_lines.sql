{{ latest_version('order_lines', ['order_id', 'line_id']) }}
