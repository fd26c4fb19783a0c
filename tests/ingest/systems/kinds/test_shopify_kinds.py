"""Shopify, both interfaces: refunds with adjustments, what is no sale, cancelled orders, children that come on another day."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ingest.systems.kinds.current import Case, every, shown
from tests.ingest.systems.kinds.shopify_rows import (
    AT,
    BOUGHT,
    D1,
    D2,
    D3,
    GIVEN,
    LATER,
    LESS,
    LINES,
    NONE,
    ORDERS,
    PAID,
    UNSHIPPED,
    given_back,
    line,
    order,
    paid,
    refund,
    renamed,
)

CASES = [
    Case(  # K8
        "an adjustment before, a line after, its note last",
        {
            D1: {**BOUGHT, "order_adjustment": [LESS]},
            D2: {"refund": refund(), "order_line_refund": [given_back("51", "5", "11", "60.00")]},
            D3: {"order_line_refund": [given_back("52", "5", "12", "40.00")], "refund": refund(note="late")},
        },
        {"refunds: refund_id, refund_amount, refund_reason": [("51", "30", "late"), ("52", "40", "late")]},
    ),
    Case(  # K8, K2
        "an adjustment that was corrected",
        {
            D1: {**BOUGHT, "refund": refund(), "order_line_refund": [given_back("51", "5", "11", "60.00")], "order_adjustment": [LESS]},
            D2: {"order_adjustment": [{**LESS, "amount": "-5.00"}]},
        },
        {GIVEN: [("51", 60), ("adjustment-61", 5)]},
    ),
    Case(  # K8
        "taxes and discounts come a day later, and again with other amounts",
        {
            D1: {
                "order": [order("1", "119.00", taxes_included="TRUE", total_tax="19.00")],
                "order_line": [line("11", "1", "119.00"), line("12", "1", "0.00")],
            },
            D2: {
                "tax_line": [
                    {"order_line_id": "11", "index": "0", "price": "12.00"},
                    {"order_line_id": "11", "index": "1", "price": "7.00"},
                ]
            },
            D3: {
                "tax_line": [{"order_line_id": "11", "index": "0", "price": "17.00"}],
                "discount_allocation": [{"order_line_id": "11", "index": "0", "amount": "2.00"}],
            },
        },
        {LINES: [("11", 100), ("12", 0)]},
    ),
    Case(  # K3
        "an order deleted alone, and one whose lines and refund came before it",
        {
            D1: {
                "order": [order("1", "100.00")],
                "order_line": [line("11", "1", "100.00"), line("21", "2", "8.00")],
                "refund": [*refund("5"), *refund("6", "2")],
                "order_line_refund": [given_back("51", "5", "11", "9.00"), given_back("61", "6", "21", "8.00")],
            },
            D2: {"order": [order("1", "100.00", _fivetran_deleted="TRUE", updated_at=LATER), order("2", "8.00")]},
        },
        {ORDERS: [("2", 8)], LINES: [("21", 8)], GIVEN: [("61", 8)]},
    ),
    Case(  # K3, K4
        "a tag on the customer comes late and goes again",
        {
            D1: {**BOUGHT, "customer": [{"id": "7", "created_at": AT, "updated_at": AT}, {"id": "8", "created_at": AT, "updated_at": AT}]},
            D2: {
                "customer_tag": [
                    {"customer_id": "7", "index": "0", "value": "account:A1"},
                    {"customer_id": "8", "index": "0", "value": "account:A8"},
                ]
            },
            D3: {"customer": [{"id": "8", "created_at": AT, "updated_at": LATER}]},
        },
        {"contacts: contact_id, account_id": [("7", "A1"), ("8", "8")], "orders: order_id, account_id": [("1", "A1")]},
    ),
    Case(  # an older version that comes late does not win
        "versions out of order",
        {
            D1: {"order": [order("1", "100.00", financial_status="partially_refunded", updated_at=LATER)]},
            D2: {"order": [order("1", "100.00", financial_status="paid", updated_at=AT)]},
        },
        {"orders: order_id, financial_state": [("1", "partially_refunded")]},
    ),
    Case(  # K7
        "gift card, tips in three languages, a deposit; goods paid with a gift card and with store credit",
        {
            D1: {
                "order": [order("1", "50.00"), order("2", "50.00"), order("3", "20.00"), order("4", "30.00", total_tip_received="3.30")],
                "order_line": [
                    line("11", "1", "50.00", gift_card="TRUE", taxable="FALSE"),
                    line("21", "2", "50.00"),
                    line("31", "3", "20.00"),
                    line("32", "3", "2.00", **NONE, title="Trinkgeld"),
                    line("33", "3", "2.00", **NONE, title="Pourboire 10 %"),
                    line("34", "3", "15.00", **NONE, title="Deposit"),
                    line("41", "4", "30.00"),
                    line("42", "4", "3.30", **NONE, title="Dank", requires_shipping="FALSE"),
                    line("43", "4", "4.40", **NONE, title="Engraving"),
                ],
                "transaction": [
                    paid("1", "1", "50.00", "shopify_payments"),
                    paid("2", "2", "30.00", "gift_card"),
                    paid("3", "2", "20.00", "shopify_store_credit"),
                    paid("4", "3", "24.00", "Gift Card"),
                    paid("5", "4", "33.30", "cash"),
                ],
            }
        },
        {
            LINES: [("21", 50), ("31", 20), ("41", 30), ("43", "4.4")],
            ORDERS: [("1", None), ("2", 50), ("3", None), ("4", None)],
            PAID: [("1", 50), ("5", "33.3")],
        },
    ),
    Case(  # K7
        "goods as high as the tip and not taxed: shipped ones, ones beside a line called a tip, one of two alike",
        {
            D1: {
                "order": [order(number, "23.30", total_tip_received="3.30") for number in ("1", "2", "3", "4")],
                "order_line": [
                    line("11", "1", "20.00"),
                    line("12", "1", "3.30", **NONE, title="Engraving", requires_shipping="TRUE"),
                    line("21", "2", "20.00"),
                    line("22", "2", "3.30", **UNSHIPPED, title="Engraving"),
                    line("23", "2", "3.30", **UNSHIPPED, title="Tip"),
                    line("31", "3", "3.30", taxable="FALSE", requires_shipping="FALSE"),
                    line("32", "3", "3.30", sku="", taxable="FALSE", requires_shipping="FALSE"),
                    line("33", "3", "3.30", **UNSHIPPED, title="Dank"),
                    line("41", "4", "3.30", **UNSHIPPED, title="Engraving"),
                    line("42", "4", "3.30", **UNSHIPPED, title="Dank"),
                ],
            },
            D2: {
                "refund": [*refund("5"), *refund("6", "2")],
                "order_line_refund": [
                    given_back("51", "5", "12", "3.30"),
                    given_back("61", "6", "22", "3.30"),
                    given_back("62", "6", "23", "3.30"),
                ],
            },
        },
        {
            LINES: [("11", 20), ("12", "3.3"), ("21", 20), ("22", "3.3"), ("31", "3.3"), ("32", "3.3"), ("41", "3.3")],
            GIVEN: [("51", "3.3"), ("61", "3.3")],
        },
    ),
    Case(  # K7, K2
        "the line called a tip comes a day later: the goods as high as it count from then on",
        {
            D1: {
                "order": [order("1", "20.00", total_tip_received="3.30")],
                "order_line": [line("11", "1", "20.00"), line("12", "1", "3.30", **UNSHIPPED, title="Engraving")],
                "refund": refund(),
                "order_line_refund": [given_back("51", "5", "12", "3.30")],
            },
            D2: {"order_line": [line("13", "1", "3.30", **UNSHIPPED, title="Tip")]},
        },
        {LINES: [("11", 20), ("12", "3.3")], GIVEN: [("51", "3.3")]},
    ),
    Case(  # K7
        "goods whose names begin with tip or deposit",
        {
            D1: {
                "order": [order("1", "30.00"), order("2", "20.00")],
                "order_line": [
                    line("11", "1", "10.00", **NONE, title="Deposit box"),
                    line("12", "1", "10.00", **NONE, title="Tip Top cleaner"),
                    line("13", "1", "10.00", **NONE, title="Tips and tricks (book)"),
                    line("21", "2", "10.00", title="Tip"),
                    line("22", "2", "10.00", title="Deposit", sku=""),
                ],
            },
            D2: {
                "refund": refund(),
                "order_line_refund": [given_back("51", "5", "11", "10.00"), given_back("52", "5", "12", "10.00")],
            },
        },
        {
            LINES: [("11", 10), ("12", 10), ("13", 10), ("21", 10), ("22", 10)],
            ORDERS: [("1", 30), ("2", 20)],
            GIVEN: [("51", 10), ("52", 10)],
        },
    ),
    Case(  # K7, K2
        "a gift card given back is no refund of revenue; a line that turns out to be a gift card goes",
        {
            D1: {"order": [order("1", "70.00")], "order_line": [line("11", "1", "50.00"), line("12", "1", "20.00")]},
            D2: {
                "order_line": [line("11", "1", "50.00", gift_card="TRUE")],
                "refund": refund(),
                "order_line_refund": [given_back("51", "5", "11", "50.00"), given_back("52", "5", "12", "20.00")],
            },
        },
        {LINES: [("12", 20)], GIVEN: [("52", 20)]},
    ),
    Case(  # K16
        "cancelled: partly kept, all given back, never paid",
        {
            D1: {
                "order": [order(number, "100.00") for number in ("1", "2", "3")],
                "order_line": [line(f"{number}1", number, "100.00") for number in ("1", "2", "3")],
            },
            D2: {
                "order": [
                    order("1", "100.00", cancelled_at=LATER, updated_at=LATER, financial_status="partially_refunded"),
                    order("2", "100.00", cancelled_at=LATER, updated_at=LATER, financial_status="refunded"),
                    order("3", "100.00", cancelled_at=LATER, updated_at=LATER, financial_status="voided"),
                ],
                "refund": [*refund("5"), *refund("6", "2")],
                "order_line_refund": [given_back("51", "5", "11", "100.00"), given_back("61", "6", "21", "100.00")],
                "order_adjustment": [{**LESS, "amount": "20.00"}],
            },
        },
        {
            "orders: order_id, financial_state, cancelled_at is null": [
                ("1", "partially_refunded", True),
                ("2", "refunded", False),
                ("3", "voided", False),
            ],
            GIVEN: [("51", 80), ("61", 100)],
        },
    ),
]


@pytest.mark.parametrize("system", ["shopify", "shopify_graphql"])
@every(CASES)
def test_shopify(system: str, case: Case, order: str, ingest: Any) -> None:
    if system == "shopify_graphql":
        case = Case(case.name, {day: renamed(streams) for day, streams in case.days.items()}, case.right)
    assert shown(ingest, system, case, order) == case.rows
