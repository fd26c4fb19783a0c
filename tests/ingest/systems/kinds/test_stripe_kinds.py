"""Stripe: what an invoice, a charge, a refund or a credit note comes to over several files, days and versions of the API."""

from __future__ import annotations

from typing import Any

from tests.ingest.systems.kinds.current import Case, every, shown
from tests.ingest.systems.kinds.stripe_rows import BACK, CHARGE, D1, D2, D3, GIVEN, LINE, LINES, NET, PAID, YEN, invoice

CASES = [
    Case(  # K1
        "lines of yen over three days, a discount over all",
        {
            D1: {"invoice": [invoice(900, **YEN, subtotal=1000)], "invoice_line_item": [{**LINE, **YEN, "id": "a", "amount": 500}]},
            D2: {"invoice_line_item": [{**LINE, **YEN, "id": "b", "amount": 300}]},
            D3: {"invoice_line_item": [{**LINE, **YEN, "id": "c", "amount": 200}, {**LINE, **YEN, "id": "a", "amount": 500}]},
        },
        {LINES: [("a", 450), ("b", 270), ("c", 180)], NET: [("in", 900)]},
    ),
    Case(  # K1, K2
        "an invoice that was a draft, then paid, then void",
        {
            D1: {"invoice": [invoice(6000, status="draft")], "invoice_line_item": [{**LINE, "id": "a", "amount": 6000}]},
            D2: {"invoice": [invoice(10000)], "invoice_line_item": [{**LINE, "id": "b", "amount": 4000}]},
            D3: {"invoice": [invoice(10000, status="void")]},
        },
        {LINES: [("a", 60), ("b", 40)], "orders: order_id, financial_state": [("in", "voided")]},
    ),
    Case(  # K2
        "an invoice that goes back to draft takes its lines along",
        {
            D1: {"invoice": [invoice(6000)], "invoice_line_item": [{**LINE, "id": "a", "amount": 6000}]},
            D2: {"invoice": [invoice(6000, status="draft")]},
        },
        {LINES: [], NET: []},
    ),
    Case(  # K3
        "an invoice deleted alone",
        {
            D1: {"invoice": [invoice(6000)], "invoice_line_item": [{**LINE, "id": "a", "amount": 6000}]},
            D2: {"invoice": [invoice(6000, is_deleted="true")]},
        },
        {LINES: [], NET: []},
    ),
    Case(  # K3
        "line, refund, dispute and note before their parents",
        {
            D1: {
                "invoice_line_item": [{**LINE, "id": "a", "amount": 1000}],
                "refund": [{**BACK, "id": "re", "charge_id": "ch", "amount": 100, "status": "succeeded"}],
                "dispute": [{**BACK, "id": "du", "charge_id": "ch", "amount": 200, "status": "lost", "livemode": "true"}],
                "credit_note": [{**BACK, "id": "cn", "invoice_id": "in", "subtotal": 300, "total": 300, "status": "issued"}],
            },
            D2: {"invoice": [invoice(1000)], "charge": [{**CHARGE, "amount": 1000, "invoice_id": "in"}]},
        },
        {LINES: [("a", 10)], GIVEN: [("re", "in", 1, 0), ("du", "in", 2, 0), ("cn", "in", 3, 0)]},
    ),
    Case(  # K2
        "a refund that failed, a dispute that was won in the end, a charge that was not captured",
        {
            D1: {
                "charge": [{**CHARGE, "amount": 1000}, {**CHARGE, "id": "ch2", "amount": 500}],
                "refund": [{**BACK, "id": "re", "charge_id": "ch", "amount": 1000, "status": "succeeded"}],
                "dispute": [{**BACK, "id": "du", "charge_id": "ch", "amount": 1000, "status": "lost", "livemode": "true"}],
            },
            D2: {
                "charge": [{**CHARGE, "id": "ch2", "amount": 500, "status": "failed"}],
                "refund": [{**BACK, "id": "re", "charge_id": "ch", "amount": 1000, "status": "canceled"}],
                "dispute": [{**BACK, "id": "du", "charge_id": "ch", "amount": 1000, "status": "won", "livemode": "true"}],
            },
        },
        {GIVEN: [], PAID: [("ch", "ch", 10)], NET: [("ch", 10)]},
    ),
    Case(  # K4
        "a line removed from a draft",
        {
            D1: {
                "invoice": [invoice(1500)],
                "invoice_line_item": [{**LINE, "id": "a", "amount": 1000}, {**LINE, "id": "b", "amount": 500}],
            },
            D2: {"invoice": [invoice(1000)], "invoice_line_item": [{**LINE, "id": "b", "amount": 500, "_fivetran_deleted": "TRUE"}]},
        },
        {LINES: [("a", 10)]},
    ),
    Case(  # K6
        "invoice_payment says which charge paid, also after the day of the charge",
        {
            D1: {
                "invoice": [invoice(1000)],
                "charge": [{**CHARGE, "amount": 700, "payment_intent_id": "pi"}, {**CHARGE, "id": "ch2", "amount": 300}],
            },
            D2: {
                "invoice_payment": [
                    {"id": "ip1", "invoice_id": "in", "payment_intent_id": "pi"},
                    {"id": "ip2", "invoice_id": "in", "charge_id": "ch2"},
                ]
            },
        },
        {NET: [("in", 10)], PAID: [("ch", "in", 7), ("ch2", "in", 3)]},
    ),
    Case(  # K6
        "the payment intent of an invoice is that of the charge; another charge of the customer stays a sale",
        {
            D1: {
                "invoice": [invoice(11900, tax="", payment_intent_id="pi", total_excluding_tax=10000)],
                "charge": [
                    {**CHARGE, "amount": 11900, "payment_intent_id": "pi"},
                    {**CHARGE, "id": "own", "amount": 500, "payment_intent_id": "pi2"},
                ],
                "refund": [{**BACK, "id": "re", "charge_id": "ch", "amount": 1190, "status": "succeeded"}],
            }
        },
        {NET: [("in", 100), ("own", 5)], PAID: [("ch", "in", 119), ("own", "own", 5)], GIVEN: [("re", "in", 10, "1.9")]},
    ),
    Case(  # K6
        "nothing says which charge paid: amount, currency and customer do, one charge an invoice",
        {
            D1: {"invoice": [invoice(1000)], "charge": [{**CHARGE, "amount": 1000, "payment_intent_id": "p1"}]},
            D2: {
                "invoice": [invoice(1000, id="in2", created="2026-11-05 00:00:00"), invoice(1000, id="usd", currency="usd")],
                "charge": [
                    {**CHARGE, "id": "ch2", "amount": 1000, "payment_intent_id": "p2", "created": "2026-11-05 00:01:00"},
                    {**CHARGE, "id": "ch3", "amount": 1000, "payment_intent_id": "p3", "created": "2026-11-06 00:00:00"},
                    {**CHARGE, "id": "other", "amount": 1000, "payment_intent_id": "p4", "customer_id": "cu2"},
                ],
            },
        },
        {
            NET: [("in", 10), ("in2", 10), ("usd", 10), ("ch3", 10), ("other", 10)],
            PAID: [("ch", "in", 10), ("ch2", "in2", 10), ("ch3", "ch3", 10), ("other", "other", 10)],
        },
    ),
    Case(  # K6
        "an invoice settled by the customer's balance takes no charge, one settled in part takes the charge of the rest",
        {
            D1: {"invoice": [invoice(1000, amount_paid=0), invoice(1000, id="part", amount_paid=400)]},
            D2: {
                "charge": [
                    {**CHARGE, "amount": 1000, "payment_intent_id": "p1"},
                    {**CHARGE, "id": "rest", "amount": 400, "payment_intent_id": "p2"},
                ],
                "refund": [{**BACK, "id": "re", "charge_id": "ch", "amount": 100, "status": "succeeded"}],
                "dispute": [{**BACK, "id": "du", "charge_id": "rest", "amount": 200, "status": "lost", "livemode": "true"}],
            },
        },
        {
            NET: [("in", 10), ("part", 10), ("ch", 10)],
            "order_lines: order_id, net_amount": [("ch", 10)],
            PAID: [("ch", "ch", 10), ("rest", "part", 4)],
            GIVEN: [("re", "ch", 1, 0), ("du", "part", 2, 0)],
        },
    ),
    Case(  # K6
        "an export of the old API says it in the charge: a second charge of the same amount is a sale",
        {
            D1: {
                "invoice": [invoice(1000)],
                "charge": [
                    {**CHARGE, "amount": 1000, "invoice_id": "in", "payment_intent_id": "p1"},
                    {**CHARGE, "id": "own", "amount": 1000, "payment_intent_id": "p2"},
                ],
            }
        },
        {NET: [("in", 10), ("own", 10)]},
    ),
    Case(  # K6, dinars have three decimals
        "taxes as a list, in Bahraini dinars",
        {
            D1: {
                "invoice": [invoice(110000, currency="bhd", subtotal=100000, total_taxes='[{"amount": 6000}, {"amount": 4000}]')],
                "invoice_line_item": [{**LINE, "currency": "bhd", "id": "a", "amount": 100000}],
                "credit_note": [
                    {
                        **BACK,
                        "currency": "bhd",
                        "id": "cn",
                        "invoice_id": "in",
                        "subtotal": 11000,
                        "total": 11000,
                        "total_taxes": '[{"amount": 1000}]',
                        "status": "issued",
                    }
                ],
            }
        },
        {"orders: net_amount, tax_amount": [(100, 10)], LINES: [("a", 100)], GIVEN: [("cn", "in", 10, 1)]},
    ),
    Case(  # K13
        "a credit note by refund, balance and out of band, taxes spread over the parts",
        {
            D1: {
                "invoice": [invoice(11900, tax=1900)],
                "charge": [{**CHARGE, "amount": 11900, "invoice_id": "in"}],
                "refund": [{**BACK, "id": "re", "charge_id": "ch", "amount": 3570, "status": "succeeded"}],
                "credit_note": [
                    {**BACK, "id": "cn", "invoice_id": "in", "subtotal": 5000, "total": 5950, "status": "issued", "refund_id": "re"}
                ],
            }
        },
        {GIVEN: [("re", "in", 30, "5.7"), ("cn", "in", 20, "3.8")]},
    ),
    Case(  # K13, K3
        "a credit note waits for the refund it names; a list of refunds needs none",
        {
            D1: {
                "invoice": [invoice(10000)],
                "charge": [{**CHARGE, "amount": 10000, "invoice_id": "in"}],
                "credit_note": [
                    {**BACK, "id": "cn1", "invoice_id": "in", "subtotal": 2000, "total": 2000, "status": "issued", "refund_id": "re"},
                    {
                        **BACK,
                        "id": "cn2",
                        "invoice_id": "in",
                        "subtotal": 900,
                        "total": 900,
                        "status": "issued",
                        "refunds": '[{"amount_refunded": 400, "refund": "rx", "type": "refund"}]',
                    },
                ],
            },
            D2: {"refund": [{**BACK, "id": "re", "charge_id": "ch", "amount": 2000, "status": "succeeded"}]},
        },
        {GIVEN: [("re", "in", 20, 0), ("cn2", "in", 5, 0)]},
    ),
    Case(  # K2
        "a credit note that was made void",
        {
            D1: {
                "invoice": [invoice(10000)],
                "credit_note": [{**BACK, "id": "cn", "invoice_id": "in", "subtotal": 2000, "total": 2000, "status": "issued"}],
            },
            D2: {"credit_note": [{**BACK, "id": "cn", "invoice_id": "in", "subtotal": 2000, "total": 2000, "status": "void"}]},
        },
        {GIVEN: []},
    ),
    Case(  # K2
        "an authorisation that is released, and one whose charge fails: the refund gives nothing back",
        {
            D1: {"charge": [{**CHARGE, "amount": 1000, "captured": "false"}, {**CHARGE, "id": "ch2", "amount": 500}]},
            D2: {
                "charge": [{**CHARGE, "id": "ch2", "amount": 500, "status": "failed"}],
                "refund": [
                    {**BACK, "id": "re", "charge_id": "ch", "amount": 1000, "status": "succeeded"},
                    {**BACK, "id": "re2", "charge_id": "ch2", "amount": 500, "status": "succeeded"},
                ],
            },
        },
        {GIVEN: [], PAID: [], NET: []},
    ),
    Case(  # K2
        "a part is captured and the rest released; a refund of the same amount comes later",
        {
            D1: {"charge": [{**CHARGE, "amount": 1000, "amount_captured": 500}]},
            D2: {"refund": [{**BACK, "id": "rest", "charge_id": "ch", "amount": 500, "status": "succeeded"}]},
            D3: {"refund": [{**BACK, "id": "a", "created": D3, "charge_id": "ch", "amount": 500, "status": "succeeded"}]},
        },
        {GIVEN: [("a", "ch", 5, 0)], PAID: [("ch", "ch", 5)], NET: [("ch", 5)]},
    ),
    Case(  # K2
        "a part is captured: a refund of money that was taken names its movement on the balance",
        {
            D1: {"charge": [{**CHARGE, "amount": 1000, "amount_captured": 500}]},
            D2: {
                "refund": [
                    {**BACK, "id": "re", "charge_id": "ch", "amount": 500, "status": "succeeded", "balance_transaction_id": "txn"},
                    {**BACK, "id": "rest", "created": D2, "charge_id": "ch", "amount": 500, "status": "succeeded"},
                ]
            },
        },
        {GIVEN: [("re", "ch", 5, 0)], PAID: [("ch", "ch", 5)]},
    ),
    Case(  # K2
        "all is captured: a refund that moves nothing on the balance yet is none of the rest",
        {
            D1: {"charge": [{**CHARGE, "amount": 1000, "amount_captured": 1000}]},
            D2: {"refund": [{**BACK, "id": "re", "charge_id": "ch", "amount": 1000, "status": "succeeded"}]},
        },
        {GIVEN: [("re", "ch", 10, 0)], PAID: [("ch", "ch", 10)]},
    ),
]


@every(CASES)
def test_stripe(case: Case, order: str, ingest: Any) -> None:
    assert shown(ingest, "stripe", case, order) == case.rows
