{{ latest_version('feedback_items', ['feedback_item_id'], 'lake') }}
