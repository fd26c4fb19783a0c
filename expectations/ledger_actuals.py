"""Checks of the batch of `ledger_actuals`, grain one posted ledger line."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import from_contract, no_result, no_row

FEED = "ledger_actuals"


def expectations() -> list[Expectation]:
    """Return the suite of the feed."""
    return [
        *from_contract(FEED),
        no_row(
            FEED,
            "reversal_names_another_journal",
            "reversal_of_journal_id = journal_id",
            "a journal that reverses itself leaves cost in place that finance believes to be gone",
            severity="warning",
            column="reversal_of_journal_id",
        ),
        no_row(
            FEED,
            "exclusion_has_a_reason",
            "not is_in_scope and scope_reason is null",
            "finance cannot defend a cost per ticket from which a line was excluded without a word",
            severity="warning",
            column="scope_reason",
        ),
        no_result(
            "costs_are_positive_in_total",
            "select batch_id, currency_code, sum(ledger_amount) as total from {batch} "
            "group by batch_id, currency_code having sum(ledger_amount) < 0",
            "the export signs costs as negative: every cost per unit and ROI itself would change sign",
            severity="warning",
            column="ledger_amount",
        ),
    ]
