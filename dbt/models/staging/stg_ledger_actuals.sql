{{ latest_version('ledger_actuals', ['journal_id', 'line_number', 'book_id']) }}
