"""Checks of the batch of `referrals`, grain one recommendation by a customer."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import amount_has_currency, from_contract, no_result, no_row

FEED = "referrals"


def expectations() -> list[Expectation]:
    """Return the suite of the feed."""
    return [
        *from_contract(FEED),
        no_row(
            FEED,
            "nobody_refers_himself",
            "referrer_account_id = referred_account_id",
            "an account that exists already would be counted as won by word of mouth, with all its margin",
            severity="warning",
            column="referred_account_id",
        ),
        no_result(
            "customer_is_won_once",
            "select batch_id, max(record_number) as record_number, referred_account_id from {batch} where is_deleted is distinct from true "
            "and referred_account_id is not null group by batch_id, referred_account_id having count(*) > 1",
            "the margin of one new customer would be credited to several recommendations",
            severity="warning",
            column="referred_account_id",
        ),
        amount_has_currency(FEED, "incentive_amount"),
    ]
