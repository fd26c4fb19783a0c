"""Checks of the batch of `recovery_actions`, grain one thing done to make good a failure or to show appreciation."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import amount_has_currency, from_contract, no_row

FEED = "recovery_actions"


def expectations() -> list[Expectation]:
    """Return the suite of the feed."""
    return [
        *from_contract(FEED),
        no_row(
            FEED,
            "names_its_customer",
            "ticket_id is null and account_id is null and order_id is null",
            "the cost goes to UNALLOCATED, and the customer counts as not recovered",
            severity="warning",
            column="ticket_id",
        ),
        no_row(
            FEED,
            "gift_of_money_has_an_amount",
            "recovery_kind in ('credit', 'refund') and recovery_amount is null",
            "the cost of recovery and with it the cost of service is understated",
            severity="warning",
            column="recovery_amount",
        ),
        amount_has_currency(FEED, "recovery_amount"),
    ]
