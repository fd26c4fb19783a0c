"""What to change in a sound row so that it breaks the one rule named: accounts, contacts, calendars and exchange rates.

`ROWS`: feed, rule, offending rows. `BATCHES`: rules about the batch as a whole, broken by the same change to every row.
"""

AT = "2026-01-05 {}+00"

ROWS = {
    "account_merges": {
        "accounts_are_real": [{"from_account_id": "UNALLOCATED"}, {"to_account_id": "NON_CUSTOMER"}],
        "merges_make_no_circle": [{"from_account_id": "P", "to_account_id": "Q"}, {"from_account_id": "Q", "to_account_id": "P"}],
    },
    "accounts": {
        "parent_is_another_account": [{"account_id": "P", "parent_account_id": "P"}],
        "closed_after_created": [{"created_at": AT.format("10:00:00"), "closed_at": AT.format("09:59:59")}],
    },
    "contacts": {},
    "fiscal_periods": {
        "starts_before_it_ends": [{"start_date": "1990-02-01", "end_date": "1990-01-31"}],
        "months_do_not_overlap": [{"start_date": "1980-01-01", "end_date": "1980-02-01"}],
        "lasts_about_a_month": [
            {"start_date": "1980-02-01", "end_date": "1980-02-24"},
            {"start_date": "1981-01-01", "end_date": "1981-02-08"},
        ],
    },
    "fx_rates": {
        "a_currency_is_worth_itself": [{"from_currency_code": "EUR", "to_currency_code": "EUR", "exchange_rate": "1.00000001"}],
        "average_rate_is_dated_first_of_month": [{"rate_type": "average", "rate_date": "2026-01-02"}],
    },
}

BATCHES: dict[tuple[str, str], dict[str, str | None]] = {}
