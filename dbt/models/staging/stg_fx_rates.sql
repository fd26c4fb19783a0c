{{ latest_version('fx_rates', ['rate_date', 'from_currency_code', 'to_currency_code', 'rate_type', 'rate_source']) }}
