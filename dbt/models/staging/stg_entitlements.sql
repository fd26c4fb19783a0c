{{ latest_version('entitlements', ['entitlement_id', 'valid_from_date']) }}
