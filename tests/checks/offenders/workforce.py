"""What to change in a sound row so that it breaks the one rule named: agents, their time, training and surveys.

`ROWS`: feed, rule, offending rows. `BATCHES`: rules about the batch as a whole, broken by the same change to every row.
"""

ROWS = {
    "agent_time": {
        "day_has_at_most_24_hours": [{"agent_id": "K1", "agent_state": "hold", "state_seconds": "86400"}],
        "overtime_is_part_of_the_state": [{"overtime_seconds": "2"}],
    },
    "agents": {
        "validity_has_a_length": [{"valid_to_date": "2026-01-01"}],
        "validities_do_not_overlap": [{"agent_id": "K1", "valid_from_date": "2025-12-01", "valid_to_date": "2026-01-02"}],
        "is_separated_after_hired": [
            {"hire_date": "2026-01-02", "floor_date": "2026-01-01"},
            {"hire_date": "2026-01-02", "separation_date": "2026-01-01", "separation_kind": "voluntary"},
        ],
        "separation_has_a_kind": [{"separation_date": "2026-02-01"}],
        "amount_has_a_currency": [{"hourly_cost_amount": "30.00"}, {"hourly_cost_amount": "0", "credit_limit_amount": "50.00"}],
    },
    "staff_surveys": {
        "quarter_starts_on_the_first_of_a_month": [{"quarter_start_date": "2026-01-02"}],
        "mean_is_on_its_scale": [
            {"mean_score": "0.9", "scale_min": "1", "scale_max": "5"},
            {"mean_score": "5.1", "scale_min": "1", "scale_max": "5"},
        ],
        "scale_has_two_ends": [{"scale_min": "1", "scale_max": "1"}],
    },
    "training_events": {
        "score_is_on_its_scale": [{"training_score": "10.1"}],
        "scored_test_names_its_scale": [{"training_score": "5", "scale_max": None}],
        "is_shorter_than_a_week": [{"training_hours": "168.01"}],
        "module_is_older_than_its_delivery": [{"module_version_date": "2026-01-07"}],
        "fitted_module_says_to_what": [{"is_customised": "true"}],
    },
}

BATCHES: dict[tuple[str, str], dict[str, str | None]] = {}
