{{ latest_version('offers', ['offer_id']) }}
