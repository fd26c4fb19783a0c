{{ latest_version('budgets', ['budget_version_id', 'line_id', 'fiscal_period']) }}
