"""What to change in a sound row so that it breaks the one rule named: tickets, contacts, standards and tools.

`ROWS`: feed, rule, offending rows. `BATCHES`: rules about the batch as a whole, broken by the same change to every row.
"""

AT = "2026-01-05 {}+00"

ROWS = {
    "business_hours": {
        "opens_before_it_closes": [{"start_minutes": "600", "end_minutes": "600"}],
        "validity_has_a_length": [{"valid_to_date": "2026-01-01"}],
        "spans_of_a_day_do_not_overlap": [{"schedule_id": "K1", "start_minutes": "0", "end_minutes": "2"}],
        "schedule_has_one_time_zone": [{"schedule_id": "K2", "start_minutes": "700", "end_minutes": "800", "time_zone": "y"}],
    },
    "entitlements": {
        "validity_has_a_length": [{"valid_to_date": "2026-01-01"}],
        "validities_do_not_overlap": [{"entitlement_id": "K1", "valid_from_date": "2025-12-01", "valid_to_date": "2026-01-02"}],
        "names_an_account_or_a_tier": [{"account_id": None}],
    },
    "holidays": {},
    "initiatives": {
        "starts_before_it_ends": [{"start_date": "2026-01-02", "end_date": "2026-01-01"}],
        "aim_has_a_metric_and_a_baseline": [{"target_metric_id": None}, {"baseline_value": None}],
        "amount_has_a_currency": [{"cost_amount": "0.01"}],
    },
    "interactions": {
        "starts_before_it_ends": [{"started_at": AT.format("10:00:03"), "ended_at": AT.format("10:00:00")}],
        "is_answered_between_queue_and_end": [
            {"queued_at": AT.format("10:00:10"), "answered_at": AT.format("10:00:07")},
            {"answered_at": AT.format("10:05:03"), "ended_at": AT.format("10:05:00")},
        ],
        "talk_and_hold_fit_between_answer_and_end": [
            {"answered_at": AT.format("10:00:00"), "ended_at": AT.format("10:01:00"), "talk_seconds": "40", "hold_seconds": "23"},
        ],
        "telephony_cost_has_a_currency": [{"toll_cost_amount": "0.05", "currency_code": None}],
    },
    "problem_events": {
        "is_resolved_after_it_occurred": [{"resolved_at": AT.format("09:59:57")}],
        "line_names_its_order": [{"line_id": "1"}],
        "amount_has_a_currency": [{"estimated_loss_amount": "0.01"}],
    },
    "product_changes": {},
    "queue_intervals": {
        "outcomes_fit_in_offered": [
            {"offered_count": "9", "answered_count": "8", "abandoned_count": "2"},
            {"offered_count": "9", "answered_count": "8", "abandoned_count": "1", "blocked_count": "1"},
        ],
        "parts_fit_in_their_outcome": [
            {"offered_count": "9", "answered_count": "1", "answered_within_count": "2", "target_seconds": "20"},
            {"offered_count": "9", "abandoned_count": "1", "short_abandoned_count": "2"},
            {"offered_count": "9", "abandoned_count": "1", "abandoned_within_count": "2", "target_seconds": "20"},
        ],
        "counts_within_a_target_name_it": [{"answered_within_count": "0"}, {"abandoned_within_count": "0"}],
        "waits_of_answered_are_waits": [
            {"answered_wait_seconds": "9", "wait_seconds": "8"},
            {"longest_wait_seconds": "9", "wait_seconds": "8"},
        ],
        "interval_is_at_most_an_hour": [{"interval_seconds": "3601"}],
    },
    "recovery_actions": {
        "names_its_customer": [{"ticket_id": None}],
        "gift_of_money_has_an_amount": [{"recovery_amount": None}, {"recovery_kind": "refund", "recovery_amount": None}],
        "amount_has_a_currency": [{"currency_code": None}],
    },
    "ring_cadence": {
        "cycle_is_in_seconds": [{"ring_cycle_seconds": "60.001"}],
    },
    "self_service_sessions": {
        "starts_before_it_ends": [{"ended_at": AT.format("09:59:57")}],
        "agent_request_is_no_answer": [{"is_agent_requested": "true", "outcome": "answered"}],
    },
    "service_standards": {
        "validity_has_a_length": [{"valid_to_date": "2026-01-01"}],
        "validities_do_not_overlap": [{"standard_id": "K1", "valid_from_date": "2025-12-01", "valid_to_date": "2026-01-02"}],
        "standard_is_countable": [
            {name: None} for name in ("metric_id", "comparator", "threshold_value", "unit", "population", "target_share")
        ],
    },
    "ticket_events": {
        "events_are_in_order_of_time": [
            {"ticket_id": "K1", "event_number": "1000", "event_type": "reopened", "event_at": AT.format("09:59:57")},
        ],
        "history_starts_at_created": [{"ticket_id": "K2", "event_number": "1000", "event_type": "created"}],
        "blocked_ticket_says_why": [{"event_type": "blocked"}],
    },
    "tickets": {
        "is_created_before_it_is_solved": [{"last_solved_at": AT.format("09:59:57")}],
        "is_not_merged_into_itself": [{"ticket_id": "T", "merged_into_ticket_id": "T"}],
        "first_solution_precedes_last_solution_and_close": [
            {"first_solved_at": AT.format("11:00:03"), "last_solved_at": AT.format("11:00:00")},
            {"closed_at": AT.format("09:59:57")},
        ],
        "merged_ticket_names_surviving_ticket": [{"ticket_state": "merged", "merged_into_ticket_id": None}],
    },
    "tool_usage": {
        "seats_used_are_paid": [{"used_seats_count": "2", "licensed_seats_count": "1"}],
        "users_have_seats": [{"active_users_count": "2", "licensed_seats_count": "1"}],
    },
}

BATCHES = {
    ("interactions", "most_rows_name_a_customer"): {"account_id": None},
    ("tickets", "most_rows_name_a_customer"): {"account_id": None},
}
