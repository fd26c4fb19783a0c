{{ latest_version('account_touches', ['account_touch_id'], 'lake') }}
