"""Checks of the batch of `fx_rates`, grain one exchange rate of one kind."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import from_contract, no_row

FEED = "fx_rates"


def expectations() -> list[Expectation]:
    """Return the suite of the feed."""
    return [
        *from_contract(FEED),
        no_row(
            FEED,
            "a_currency_is_worth_itself",
            "from_currency_code = to_currency_code and exchange_rate <> 1",
            "money that needs no conversion would be changed by it",
            column="exchange_rate",
        ),
        no_row(
            FEED,
            "average_rate_is_dated_first_of_month",
            "rate_type = 'average' and day(rate_date) <> 1",
            "monthly averages are found by the first day of the month: this one is never used and its amounts stay unconverted",
            severity="warning",
            column="rate_date",
        ),
    ]
