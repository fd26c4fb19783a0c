"""A Shopify export becomes orders, lines, refunds, payments and customers; every amount to the cent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.ingest.systems.commerce import broken, counts, deliver, waiting

NOON = "2026-01-05 12:00:00.000"
ORDER = {"id": "1", "currency": "EUR", "created_at": NOON, "processed_at": NOON, "updated_at": NOON, "customer_id": "7", "test": "FALSE"}
LINE = {"order_id": "1", "gift_card": "FALSE", "taxable": "TRUE"}
PLAIN = {**ORDER, "taxes_included": "FALSE", "total_line_items_price": "100.00", "subtotal_price": "90.00", "total_tax": "18.00"}
GROSS = {**ORDER, "taxes_included": "TRUE", "total_line_items_price": "119.00", "subtotal_price": "119.00", "total_tax": "19.80"}


def money(ingest: Any, sql: str) -> list[tuple[Any, ...]]:
    return list(ingest.texts(sql))


@pytest.fixture
def lenient(ingest: Any) -> Any:
    ingest.assumptions = ingest.assumptions.model_copy(update={"quarantine_threshold_rate": Decimal(1)})
    return ingest


def test_net_is_goods_less_discount_without_tax_and_shipping(ingest: Any) -> None:
    deliver(
        ingest,
        "shopify",
        order=[PLAIN],
        order_shipping_line=[{"id": "1", "order_id": "1", "discounted_price": "4.95"}],
        order_line=[{**LINE, "id": "11", "price": "50.00", "quantity": "2", "total_discount": "0.00"}],
        discount_allocation=[{"order_line_id": "11", "index": "0", "amount": "10.00"}],
        tax_line=[{"order_line_id": "11", "index": "0", "price": "18.00"}],
    )
    assert ingest.walk().refusals == []
    assert money(ingest, "select gross_amount, discount_amount, tax_amount, shipping_amount, net_amount from lake.orders") == [
        ("100.00", "10.00", "18.00", "4.95", "90.00")
    ]
    assert money(ingest, "select quantity, unit_price, discount_amount, tax_amount, net_amount from lake.order_lines") == [
        ("2.000", "50.0000", "10.00", "18.00", "90.00")
    ]


def test_tax_inside_a_price_is_no_revenue(ingest: Any) -> None:
    deliver(
        ingest,
        "shopify",
        order=[GROSS],
        order_line=[{**LINE, "id": "11", "price": "17.00", "quantity": "7"}],
        tax_line=[{"order_line_id": "11", "index": "0", "price": "12.66"}, {"order_line_id": "11", "index": "1", "price": "6.34"}],
    )
    assert ingest.walk().refusals == []
    assert money(ingest, "select gross_amount, discount_amount, tax_amount, net_amount from lake.orders") == [(None, None, "19.80", None)]
    assert money(ingest, "select unit_price, discount_amount, tax_amount, net_amount from lake.order_lines") == [
        ("14.2857", "0.00", "19.00", "100.00")
    ]


def test_a_line_keeps_the_identity_of_its_amounts_at_any_quantity(ingest: Any) -> None:
    lines = [{**LINE, "id": str(quantity), "price": "1.19", "quantity": str(quantity)} for quantity in (1, 3, 299, 5_001, -3)]
    taxes = [
        {"order_line_id": line["id"], "index": "0", "price": str(round(Decimal(str(line["quantity"])) * Decimal("0.19"), 2))}
        for line in lines
    ]
    deliver(ingest, "shopify", order=[GROSS], order_line=lines, tax_line=taxes)
    assert ingest.walk().refusals == []
    assert ingest.all("select line_id from lake.order_lines where net_amount <> quantity * 1.00") == []
    assert ingest.all("select line_id from lake.order_lines where abs(net_amount - (quantity * unit_price - discount_amount)) > 0.01") == []


def test_a_taxed_line_whose_tax_never_came_is_quarantined(lenient: Any) -> None:
    deliver(lenient, "shopify", order=[GROSS], order_line=[{**LINE, "id": "11", "price": "119.00", "quantity": "1"}])
    assert broken(lenient.walk()) == [("order_line", "unit_price", "required")]


def test_a_line_and_a_refund_of_an_order_that_never_came_wait(ingest: Any) -> None:
    deliver(
        ingest,
        "shopify",
        order_line=[{**LINE, "id": "11", "price": "1.00", "quantity": "1"}],
        refund=[{"id": "5", "order_id": "1", "created_at": NOON}],
        order_line_refund=[{"id": "51", "refund_id": "5", "subtotal": "1.00"}, {"id": "52", "refund_id": "6", "subtotal": "1.00"}],
        order_adjustment=[{"id": "61", "order_id": "1", "refund_id": "5", "amount": "-1.00"}],
    )
    report = ingest.walk()
    assert (report.refusals, broken(report)) == ([], [])
    assert waiting(ingest) == {"order_adjustment": 1, "order_line": 1, "order_line_refund": 2, "refund": 1}


def test_kind_state_and_attributes_of_an_order(ingest: Any) -> None:
    credit = {**PLAIN, "id": "2", "subtotal_price": "-5.00", "total_line_items_price": "-5.00", "financial_status": "refunded"}
    tagged = {**PLAIN, "id": "3", "financial_status": "EXPIRED", "cancelled_at": NOON, "test": "TRUE", "presentment_currency": "CHF"}
    deliver(
        ingest,
        "shopify",
        order=[PLAIN, credit, tagged],
        order_tag=[{"order_id": "3", "index": "0", "value": "adjustment"}, {"order_id": "1", "index": "0", "value": "summer"}],
        order_note_attribute=[
            {"order_id": "3", "name": "offer_id", "value": '"F9"'},
            {"order_id": "3", "name": "contact_id", "value": "C9"},
        ],
    )
    assert ingest.walk().refusals == []
    columns = "order_kind, financial_state, is_test, cancelled_at is not null, presentment_currency_code, contact_id, offer_id"
    assert ingest.all(f"select order_id, {columns} from lake.orders order by 1") == [
        ("1", "sale", None, False, False, None, "7", None),
        ("2", "credit_memo", "refunded", False, False, None, "7", None),
        ("3", "adjustment", "voided", True, True, "CHF", "C9", "F9"),
    ]


def test_a_tag_on_the_customer_names_the_account_of_another_system(ingest: Any) -> None:
    people = {"created_at": NOON, "updated_at": NOON, "email": "a@shop.example", "phone": "+49 30 1"}
    deliver(
        ingest,
        "shopify",
        customer=[{**people, "id": "7", "first_name": "Ada", "last_name": "Low"}, {**people, "id": "8", "first_name": "Firm"}],
        customer_tag=[
            {"customer_id": "7", "index": "0", "value": "account:A1"},
            {"customer_id": "8", "index": "0", "value": "b2b"},
            {"customer_id": "8", "index": "1", "value": "account:"},
        ],
        order=[PLAIN, {**PLAIN, "id": "2", "customer_id": "8"}],
    )
    assert ingest.walk().refusals == []
    assert ingest.all("select contact_id, account_id, email_hash is not null, phone_hash is not null from lake.contacts order by 1") == [
        ("7", "A1", True, True),
        ("8", "8", True, True),
    ]
    assert ingest.all("select account_id, account_name, account_kind from lake.accounts") == [("8", "Firm", "b2b")]
    assert ingest.all("select account_id, contact_id from lake.orders order by order_id") == [("A1", "7"), (None, "8")]


def test_refunds_are_lines_and_what_was_given_beyond_without_shipping(ingest: Any) -> None:
    line_refund = {"restock_type": "no_restock", "quantity": "1", "total_tax": "0.00"}
    deliver(
        ingest,
        "shopify",
        order=[PLAIN],
        refund=[
            {"id": str(number), "order_id": "1", "created_at": NOON, "note": note}
            for number, note in ((5, "late"), (6, "see chat"), (7, ""))
        ],
        order_line_refund=[
            {
                **line_refund,
                "id": "51",
                "refund_id": "5",
                "order_line_id": "11",
                "subtotal": "30.00",
                "restock_type": "return",
                "total_tax": "6.00",
            },
            {**line_refund, "id": "61", "refund_id": "6", "order_line_id": "11", "subtotal": "4.00"},
            {**line_refund, "id": "62", "refund_id": "6", "order_line_id": "12", "subtotal": "10.00"},
        ],
        order_adjustment=[
            {"id": "1", "order_id": "1", "refund_id": "5", "amount": "-4.95", "tax_amount": "-0.99", "kind": "shipping_refund"},
            {"id": "2", "order_id": "1", "refund_id": "6", "amount": "5.00", "kind": "refund_discrepancy"},
            {"id": "3", "order_id": "1", "refund_id": "7", "amount": "-2.00", "kind": "refund_discrepancy"},
        ],
        transaction=[{"id": "9", "order_id": "1", "refund_id": "6", "kind": "refund", "gateway": "chargeback", "amount": "9.00"}],
    )
    report = ingest.walk()
    assert report.refusals == []
    columns = "refund_id, line_id, refund_amount, tax_amount, refund_reason, is_chargeback, is_restocked"
    assert money(ingest, f"select {columns} from lake.refunds order by 1") == [
        ("51", "11", "30.00", "6.00", "late", False, True),
        ("61", "11", "0.00", "0.00", "fraud", True, False),
        ("62", "12", "9.00", "0.00", "fraud", True, False),
        ("adjustment-3", None, "2.00", None, "other", False, False),
    ]
    assert "shopify/order_adjustment: 1 records excluded: shipping given back, which net revenue never held" in report.warnings
    assert "shopify/order_adjustment: 1 records excluded: less given back than calculated, borne by the refunded lines" in report.warnings


def test_only_money_that_came_in_is_a_payment(ingest: Any) -> None:
    paid = {
        "order_id": "1",
        "amount": "90.00",
        "currency": "EUR",
        "created_at": NOON,
        "status": "success",
        "test": "FALSE",
        "gateway": "card",
    }
    deliver(
        ingest,
        "shopify",
        transaction=[
            {**paid, "id": "1", "kind": "sale", "receipt": '{"instalments": 3}'},
            {**paid, "id": "2", "kind": "capture", "receipt": '{ "charges" => nil '},
            {**paid, "id": "3", "kind": "authorization"},
            {**paid, "id": "4", "kind": "sale", "status": "failure"},
            {**paid, "id": "5", "kind": "refund"},
            {**paid, "id": "6", "kind": "sale", "test": "TRUE"},
        ],
    )
    assert ingest.walk().refusals == []
    assert counts(ingest)["transaction"] == (6, 2, 4, 0)
    assert money(ingest, "select payment_id, payment_amount, instalment_count from lake.payments order by 1") == [
        ("1", "90.00", 3),
        ("2", "90.00", None),
    ]


def test_goods_cost_what_their_item_costs_now(ingest: Any) -> None:
    line = {**LINE, "price": "10.00", "quantity": "1", "product_id": "70", "sku": "S1"}
    for day, cost in (("2026-01-05", "4.25"), ("2026-01-06", "4.5000")):
        deliver(ingest, "shopify", day, inventory_item=[{"id": "90", "unit_cost_amount": cost}])
    deliver(
        ingest,
        "shopify",
        order=[PLAIN],
        product=[{"id": "70", "product_type": "lamps"}],
        product_variant=[{"id": "80", "inventory_item_id": "90"}, {"id": "81", "inventory_item_id": "91"}],
        order_line=[{**line, "id": "11", "variant_id": "80"}],
    )
    dollars = {"id": "91", "unit_cost_amount": "9.00", "unit_cost_currency_code": "USD"}
    deliver(
        ingest,
        "shopify",
        "2026-01-07",
        inventory_item=[dollars],
        order_line=[{**line, "id": "12", "variant_id": "80"}, {**line, "id": "13", "variant_id": "81", "sku": ""}],
    )
    assert ingest.walk().refusals == []
    assert money(ingest, "select line_id, product_id, product_family, line_kind, unit_cost from lake.order_lines order by 1") == [
        ("11", "S1", "lamps", "product", "4.5000"),
        ("12", "S1", "lamps", "product", "4.5000"),
        ("13", "70", "lamps", "product", None),
    ]
