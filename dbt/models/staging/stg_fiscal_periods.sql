{{ latest_version('fiscal_periods', ['fiscal_period']) }}
