{{ latest_version('product_changes', ['product_change_id'], 'lake') }}
