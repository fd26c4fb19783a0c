"""Checks of the batch of `survey_responses`, grain one answer to one survey question."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.contract_rules import CLOCK_TOLERANCE, from_contract, most_rows_name, no_row

FEED = "survey_responses"


def expectations() -> list[Expectation]:
    """Return the suite of the feed."""
    return [
        *from_contract(FEED),
        no_row(
            FEED,
            "score_is_on_its_scale",
            "score < scale_min or score > scale_max",
            "an answer off its scale shifts satisfaction and promoter shares without limit",
            column="score",
        ),
        no_row(
            FEED,
            "scale_has_two_ends",
            "scale_min >= scale_max",
            "scores cannot be brought to a common scale when its ends coincide or are swapped",
            severity="warning",
            column="scale_max",
        ),
        no_row(
            FEED,
            "scored_answer_names_its_scale",
            "score is not null and survey_metric in ('csat', 'nps', 'ces') and (scale_min is null or scale_max is null)",
            "satisfied and dissatisfied are positions on a scale: this answer is excluded from every share",
            severity="warning",
            column="scale_max",
        ),
        no_row(
            FEED,
            "promoter_scale_runs_from_0_to_10",
            "survey_metric = 'nps' and (scale_min <> 0 or scale_max <> 10)",
            "promoters are defined as 9 and 10 of 0 to 10: on another scale the score means nothing",
            severity="warning",
            column="scale_max",
        ),
        no_row(
            FEED,
            "answered_after_invited",
            f"responded_at + {CLOCK_TOLERANCE} < invited_at",
            "response times become negative and answers may be tied to the wrong contact",
            severity="warning",
            column="responded_at",
        ),
        most_rows_name(("account_id", "contact_id", "order_id", "ticket_id", "interaction_id")),
    ]
