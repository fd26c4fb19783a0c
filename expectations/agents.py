"""Checks of the batch of `agents`, grain one agent during one span of unchanged attributes."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import amount_has_currency, from_contract, no_row, validity

FEED = "agents"


def expectations() -> list[Expectation]:
    """Return the suite of the feed."""
    return [
        *from_contract(FEED),
        *validity(FEED, "agent_id"),
        no_row(
            FEED,
            "is_separated_after_hired",
            "separation_date < coalesce(floor_date, hire_date) or floor_date < hire_date",
            "tenure becomes negative, and the agent counts as leaving a team before joining it",
            severity="warning",
            column="separation_date",
        ),
        no_row(
            FEED,
            "separation_has_a_kind",
            "separation_date is not null and separation_kind is null",
            "attrition cannot tell who left the company from who changed teams",
            severity="warning",
            column="separation_kind",
        ),
        amount_has_currency(FEED, "hourly_cost_amount", "credit_limit_amount"),
    ]
