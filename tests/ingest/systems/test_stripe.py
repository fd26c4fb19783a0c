"""A Stripe export becomes invoices, lines, payments and refunds: minor units by currency, discounts and tax spread to the cent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from dagster_project.ingest.mapping.systems import BUILT_IN
from tests.ingest.systems.commerce import broken, counts, deliver, waiting

AT = "2026-01-05 12:00:00"
INVOICE = {"id": "in_1", "currency": "eur", "customer_id": "cus_1", "created": AT, "period_end": AT, "livemode": "TRUE", "status": "paid"}
CHARGE = {
    "created": AT,
    "currency": "eur",
    "captured": "TRUE",
    "livemode": "TRUE",
    "status": "succeeded",
    "customer_id": "cus_1",
    "card_id": "pm_1",
}


def texts(ingest: Any, sql: str) -> list[tuple[Any, ...]]:
    return list(ingest.texts(sql))


def test_amounts_follow_the_smallest_unit_of_their_currency(ingest: Any) -> None:
    ingest.assumptions = ingest.assumptions.model_copy(update={"reporting_currency_code": "EUR"})
    units = {"jpy": "1234", "bhd": "12340", "usd": "1234", "ugx": "123400", "KRW": "1234"}
    deliver(ingest, "stripe", charge=[{**CHARGE, "id": f"ch_{code}", "currency": code, "amount": amount} for code, amount in units.items()])
    assert ingest.walk().refusals == []
    assert texts(ingest, "select currency_code, payment_amount from lake.payments order by 1") == [
        ("BHD", "12.34"),
        ("JPY", "1234.00"),
        ("KRW", "1234.00"),
        ("UGX", "1234.00"),
        ("USD", "12.34"),
    ]


def test_minor_units_are_those_of_the_currency(ingest: Any) -> None:
    amounts = {"eur": "12345", "jpy": "12345", "bhd": "12345"}
    charges = [{**CHARGE, "id": code, "currency": code, "amount": amount, "invoice_id": "in_1"} for code, amount in amounts.items()]
    deliver(ingest, "stripe", charge=charges)
    assert broken(ingest.walk()) == []
    found = dict(ingest.all("select lower(currency_code), payment_amount from lake.payments"))
    assert found == {"eur": Decimal("123.45"), "jpy": Decimal(12345), "bhd": Decimal("12.345")}


def test_the_lines_of_an_invoice_add_up_to_its_net_of_discount_and_tax(ingest: Any) -> None:
    lines = [
        {"id": f"il_{number}", "invoice_id": "in_1", "currency": "eur", "amount": "1000", "quantity": "3", "plan_id": "p"}
        for number in range(3)
    ]
    deliver(
        ingest,
        "stripe",
        invoice=[{**INVOICE, "subtotal": "3000", "tax": "551", "total": "3451", "metadata": '{"offer_id": "F1"}'}],
        invoice_line_item=lines,
        plan=[{"id": "p", "product_id": "prod_1"}],
    )
    assert ingest.walk().refusals == []
    columns = "order_id, contact_id, account_id, gross_amount, discount_amount, tax_amount, net_amount, financial_state, offer_id"
    assert texts(ingest, f"select {columns} from lake.orders") == [("in_1", "cus_1", None, "30.00", "1.00", "5.51", "29.00", "paid", "F1")]
    assert texts(ingest, "select sum(net_amount), max(unit_price), min(product_id) from lake.order_lines") == [
        ("29.00", "3.3333", "prod_1")
    ]
    assert ingest.all("select line_id from lake.order_lines where abs(net_amount - (quantity * unit_price - discount_amount)) > 0.01") == []
    assert {net for (net,) in texts(ingest, "select net_amount from lake.order_lines")} == {"9.66", "9.67"}


def test_lines_without_a_quantity_and_credits_keep_their_amount(ingest: Any) -> None:
    deliver(
        ingest,
        "stripe",
        invoice=[{**INVOICE, "subtotal": "-500", "tax": "", "total": "-500", "status": "open", "livemode": "FALSE"}],
        invoice_line_item=[
            {"id": "il_1", "invoice_id": "in_1", "currency": "eur", "amount": "-1500", "quantity": "0"},
            {"id": "il_2", "invoice_id": "in_1", "currency": "eur", "amount": "1000", "quantity": ""},
        ],
    )
    assert ingest.walk().refusals == []
    assert texts(ingest, "select order_kind, net_amount, financial_state, is_test from lake.orders") == [
        ("credit_memo", "-5.00", "pending", True)
    ]
    assert texts(ingest, "select quantity, unit_price, net_amount from lake.order_lines order by line_id") == [
        ("1.000", "-15.0000", "-15.00"),
        ("1.000", "10.0000", "10.00"),
    ]


def test_a_charge_is_a_sale_of_its_own_only_where_nothing_else_is_its_order(ingest: Any) -> None:
    deliver(
        ingest,
        "stripe",
        charge=[
            {**CHARGE, "id": "ch_1", "amount": "500", "invoice_id": "in_1"},
            {**CHARGE, "id": "ch_2", "amount": "600", "metadata": '{"order_id": "O2"}'},
            {**CHARGE, "id": "ch_3", "amount": "700", "amount_captured": "650", "metadata": "{not json"},
            {**CHARGE, "id": "ch_4", "amount": "800", "status": "failed"},
            {**CHARGE, "id": "ch_5", "amount": "900", "captured": "FALSE"},
        ],
    )
    report = ingest.walk()
    assert report.refusals == []
    assert counts(ingest)["charge"] == (5, 3, 2, 0)
    assert texts(ingest, "select payment_id, order_id, payment_amount, payment_method from lake.payments order by 1") == [
        ("ch_1", "in_1", "5.00", "card"),
        ("ch_2", "O2", "6.00", "card"),
        ("ch_3", "ch_3", "6.50", "card"),
    ]
    assert texts(ingest, "select order_id, net_amount from lake.orders") == [("ch_3", "6.50")]
    assert texts(ingest, "select order_id, net_amount from lake.order_lines") == [("ch_3", "6.50")]
    assert "stripe/charge: 1 records excluded: authorised, not captured" in report.warnings


def test_refunds_lost_disputes_and_credit_notes_lower_revenue_without_their_tax(ingest: Any) -> None:
    back = {"created": AT, "currency": "eur"}
    deliver(
        ingest,
        "stripe",
        invoice=[{**INVOICE, "subtotal": "10000", "tax": "1900", "total": "11900"}],
        charge=[{**CHARGE, "id": "ch_1", "amount": "11900", "invoice_id": "in_1"}],
        refund=[
            {**back, "charge_id": "ch_1", "id": "re_1", "amount": "1190", "status": "succeeded", "reason": "requested_by_customer"},
            {**back, "charge_id": "ch_1", "id": "re_2", "amount": "1190", "status": "failed"},
        ],
        dispute=[
            {**back, "charge_id": "ch_1", "livemode": "TRUE", "id": "du_1", "amount": "595", "status": "lost", "reason": "fraudulent"},
            {**back, "charge_id": "ch_1", "livemode": "TRUE", "id": "du_2", "amount": "595", "status": "won", "reason": "general"},
        ],
        credit_note=[
            {**back, "id": "cn_1", "invoice_id": "in_1", "subtotal": "100", "total": "119", "status": "issued"},
            {**back, "id": "cn_2", "invoice_id": "in_1", "subtotal": "100", "total": "119", "status": "issued", "refund_id": "re_1"},
        ],
    )
    report = ingest.walk()
    assert report.refusals == []
    columns = "refund_id, order_id, refund_amount, tax_amount, refund_reason, is_chargeback"
    assert texts(ingest, f"select {columns} from lake.refunds order by 1") == [
        ("cn_1", "in_1", "1.00", "0.19", "other", False),
        ("du_1", "in_1", "5.00", "0.95", "fraud", True),
        ("re_1", "in_1", "10.00", "1.90", "other", False),
    ]
    assert "stripe/dispute: 1 records excluded: dispute won" in report.warnings


def test_customers_belong_to_the_account_that_their_metadata_names(ingest: Any) -> None:
    deliver(
        ingest,
        "stripe",
        customer=[
            {
                "id": "cus_1",
                "created": AT,
                "email": "a@b.example",
                "name": "Ada",
                "is_deleted": "FALSE",
                "metadata": '{"account_id": "A1"}',
            },
            {"id": "cus_2", "created": AT, "name": "Bob", "is_deleted": "TRUE", "metadata": '{"account_id": ""}'},
        ],
    )
    assert ingest.walk().refusals == []
    assert ingest.all("select contact_id, account_id, email_hash is not null, is_deleted from lake.contacts order by 1") == [
        ("cus_1", "A1", True, False),
        ("cus_2", "cus_2", False, True),
    ]
    assert ingest.all("select account_id, account_name from lake.accounts") == [("cus_2", "Bob")]


@pytest.mark.parametrize(
    ("stream", "row"),
    [
        ("invoice_line_item", {"id": "il_1", "invoice_id": "in_9", "currency": "eur", "amount": "100", "quantity": "1"}),
        ("refund", {"id": "re_1", "charge_id": "ch_9", "created": AT, "currency": "eur", "amount": "100", "status": "succeeded"}),
        ("dispute", {"id": "du_1", "charge_id": "ch_9", "created": AT, "currency": "eur", "amount": "100", "status": "lost"}),
        (
            "credit_note",
            {"id": "cn_1", "invoice_id": "in_9", "created": AT, "currency": "eur", "subtotal": "1", "total": "1", "status": "issued"},
        ),
    ],
)
def test_a_record_whose_parent_never_came_waits(ingest: Any, stream: str, row: dict[str, object]) -> None:
    deliver(ingest, "stripe", **{stream: [row]})
    report = ingest.walk()
    assert (report.refusals, broken(report)) == ([], [])
    assert waiting(ingest) == {stream: 1}


def test_which_order_a_charge_paid_is_said_by_the_same_text_in_every_select() -> None:
    selects = [path.read_text(encoding="utf-8") for path in sorted((BUILT_IN / "stripe").glob("*.sql"))]
    blocks = [
        text[text.index("with -- Which order") : text.index("\n),\n", text.index("\nlinks as ("))]
        for text in selects
        if "links as (" in text
    ]
    assert (len(blocks), len(set(blocks))) == (5, 1)
