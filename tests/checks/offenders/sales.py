"""What to change in a sound row so that it breaks the one rule named: orders, payments, offers and account management.

`ROWS`: feed, rule, offending rows. `BATCHES`: rules about the batch as a whole, broken by the same change to every row.
"""

AT = "2026-01-05 {}+00"

ROWS = {
    "account_touches": {
        "glitch_has_a_kind": [{"touch_kind": "glitch"}],
        "done_touch_has_an_instant": [{"touch_state": "done"}, {"done_at": AT.format("10:00:00")}],
        "glitch_is_closed_after_it_opened": [
            {"touch_kind": "glitch", "glitch_kind": "billing_error", "touch_state": "done", "done_at": AT.format("09:59:57")},
        ],
    },
    "offers": {
        "is_accepted_after_offered": [{"accepted_at": AT.format("09:59:57")}],
        "is_not_both_accepted_and_declined": [{"accepted_at": AT.format("10:00:00"), "declined_reason": "price"}],
    },
    "order_lines": {
        "net_is_quantity_times_price_less_discount": [
            {"quantity": "3", "unit_price": "0.3333", "net_amount": "1.02"},
            {"quantity": "2", "unit_price": "5", "discount_amount": "1", "net_amount": "10.00"},
        ],
        "price_of_a_product_is_not_negative": [{"unit_price": "-1", "net_amount": "-1"}],
    },
    "orders": {
        "net_is_gross_less_discount": [{"gross_amount": "10.00", "discount_amount": "1.00", "net_amount": "9.02"}],
        "sign_follows_the_kind_of_order": [
            {"order_kind": "sale", "net_amount": "-0.01"},
            {"order_kind": "credit_memo", "net_amount": "0.01"},
        ],
        "nothing_happens_before_the_order": [{"delivered_at": AT.format("09:59:57")}, {"cancelled_at": AT.format("09:59:57")}],
    },
    "payments": {"payment_is_not_negative": [{"payment_amount": "-0.01"}]},
    "referrals": {
        "nobody_refers_himself": [{"referrer_account_id": "P", "referred_account_id": "P"}],
        "amount_has_a_currency": [{"incentive_amount": "0.01"}],
    },
    "refunds": {
        "restocked_goods_have_a_quantity": [{"is_restocked": "true"}, {"is_restocked": "true", "returned_quantity": "0"}],
        "processed_after_refunded": [{"processed_at": AT.format("09:59:57")}],
    },
}

BATCHES = {
    ("offers", "most_rows_name_a_customer"): {"account_id": None},
    ("orders", "most_rows_name_a_customer"): {"account_id": None},
    ("referrals", "customer_is_won_once"): {"referred_account_id": "B"},
}
