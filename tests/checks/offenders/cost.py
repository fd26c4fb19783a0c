"""What to change in a sound row so that it breaks the one rule named: budgets and the ledger.

`ROWS`: feed, rule, offending rows. `BATCHES`: rules about the batch as a whole, broken by the same change to every row.
"""

ROWS = {
    "budgets": {
        "revenue_is_not_in_scope": [{"line_kind": "revenue", "is_in_scope": "true"}],
        "exclusion_has_a_reason": [{"is_in_scope": "false", "scope_reason": None}],
    },
    "ledger_actuals": {
        "reversal_names_another_journal": [{"journal_id": "J", "reversal_of_journal_id": "J"}],
        "exclusion_has_a_reason": [{"is_in_scope": "false", "scope_reason": None}],
    },
}

BATCHES = {
    ("budgets", "expenses_are_positive_in_total"): {"budget_amount": "-0.01"},
    ("ledger_actuals", "costs_are_positive_in_total"): {"ledger_amount": "-0.01"},
}
