{{ latest_version('account_merges', ['from_account_id', 'merged_at']) }}
