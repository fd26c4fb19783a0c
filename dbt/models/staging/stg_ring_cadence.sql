{{ latest_version('ring_cadence', ['country_code']) }}
