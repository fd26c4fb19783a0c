"""What to change in a sound row so that it breaks the one rule named: surveys, feedback, reputation and benchmarks.

`ROWS`: feed, rule, offending rows. `BATCHES`: rules about the batch as a whole, broken by the same change to every row.
"""

AT = "2026-01-05 {}+00"

ROWS = {
    "benchmarks": {
        "quartiles_are_in_order": [{"lower_quartile_value": "1.1"}, {"upper_quartile_value": "0.9"}],
    },
    "feedback_items": {
        "states_follow_each_other": [
            {"routed_at": AT.format("09:59:57"), "routed_to_department_id": "D"},
            {"routed_at": AT.format("11:00:00"), "routed_to_department_id": "D", "accepted_at": AT.format("10:59:57")},
        ],
        "routed_item_names_its_receiver": [{"routed_at": AT.format("11:00:00")}],
    },
    "reputation_scores": {
        "score_is_on_its_scale": [{"reputation_score": "-0.1"}, {"reputation_score": "5.1"}],
        "scale_has_two_ends": [{"scale_min": "1", "scale_max": "1"}],
    },
    "survey_invitations": {
        "nothing_happens_before_the_invitation": [{name: AT.format("09:59:57")} for name in ("delivered_at", "opened_at", "started_at")],
        "suppressed_invitation_was_not_delivered": [
            {"suppressed_reason": "fatigue", name: AT.format("10:00:00")} for name in ("delivered_at", "opened_at", "started_at")
        ],
        "bounced_invitation_was_not_opened": [{"is_bounced": "true", name: AT.format("10:00:00")} for name in ("opened_at", "started_at")],
    },
    "survey_responses": {
        "score_is_on_its_scale": [
            {"score": "0.9", "scale_min": "1", "scale_max": "5"},
            {"score": "5.1", "scale_min": "1", "scale_max": "5"},
        ],
        "scale_has_two_ends": [{"scale_min": "5", "scale_max": "5"}],
        "scored_answer_names_its_scale": [{"survey_metric": "ces", "score": "3", "scale_min": "1"}],
        "promoter_scale_runs_from_0_to_10": [{"survey_metric": "nps", "score": "3", "scale_min": "1", "scale_max": "10"}],
        "answered_after_invited": [{"invited_at": AT.format("10:00:03")}],
    },
}

BATCHES = {
    ("survey_invitations", "most_rows_name_a_customer"): {"account_id": None},
    ("survey_responses", "most_rows_name_a_customer"): {"account_id": None},
}
