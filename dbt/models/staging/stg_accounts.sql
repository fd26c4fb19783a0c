{{ latest_version('accounts', ['account_id']) }}
