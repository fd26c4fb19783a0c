"""Checks of the batch of `budgets`, grain one version of one budget line."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import from_contract, no_result, no_row

FEED = "budgets"


def expectations() -> list[Expectation]:
    """Return the suite of the feed."""
    return [
        *from_contract(FEED),
        no_row(
            FEED,
            "revenue_is_not_in_scope",
            "line_kind = 'revenue' and is_in_scope",
            "revenue would lower the cost of service if a model forgot to look at line_kind",
            severity="warning",
            column="is_in_scope",
        ),
        no_row(
            FEED,
            "exclusion_has_a_reason",
            "line_kind = 'expense' and not is_in_scope and scope_reason is null",
            "finance cannot defend a cost per ticket from which a line was excluded without a word",
            severity="warning",
            column="scope_reason",
        ),
        no_result(
            "expenses_are_positive_in_total",
            "select batch_id, currency_code, sum(budget_amount) as total from {batch} where line_kind = 'expense' "
            "group by batch_id, currency_code having sum(budget_amount) < 0",
            "the export signs costs as negative: every cost per unit and ROI itself would change sign",
            severity="warning",
            column="budget_amount",
        ),
    ]
