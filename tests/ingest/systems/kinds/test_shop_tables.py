"""Retail and marketplace: an invoice is the set of its lines, a table has one current row per key, in whatever order the days arrive."""

from __future__ import annotations

from typing import Any

from tests.ingest.systems.kinds.histories import History, check, each_order

D1, D2 = "2010-12-01", "2010-12-02"
LINE = {
    "InvoiceNo": "5",
    "StockCode": "A",
    "Quantity": "1",
    "InvoiceDate": "2010-12-01 08:26:00",
    "UnitPrice": "2.50",
    "CustomerID": "17",
    "Country": "Italy",
}
OTHER = {**LINE, "StockCode": "B", "UnitPrice": "4.00"}
ORDER = {"order_id": "o1", "customer_id": "c1", "order_status": "shipped", "order_purchase_timestamp": "2010-11-16 15:05:35"}
RETAIL = [
    History(
        "equal lines of an invoice are lines",
        {D1: {"lines": [LINE, LINE, OTHER]}},
        "order_lines",
        "order_id, (100 * net_amount)::int",
        [("5", 250), ("5", 250), ("5", 400)],
    ),
    History(
        "an invoice that comes again has the lines of its latest day",
        {D1: {"lines": [LINE, LINE, OTHER]}, D2: {"lines": [LINE]}},
        "order_lines",
        "order_id, (100 * net_amount)::int",
        [("5", 250)],
    ),
    History(
        "an invoice that comes again as it was changes nothing",
        {D1: {"lines": [LINE, LINE]}, D2: {"lines": [LINE, LINE]}},
        "order_lines",
        "(100 * net_amount)::int",
        [(250,), (250,)],
    ),
    History(
        "a line without a customer keeps the customer of its invoice",
        {D1: {"lines": [{**LINE, "CustomerID": ""}, OTHER]}},
        "orders",
        "order_id, account_id",
        [("5", "17")],
    ),
    History(
        "the country is the one of the latest invoice",
        {D1: {"lines": [LINE]}, D2: {"lines": [{**LINE, "InvoiceNo": "6", "InvoiceDate": "2010-12-02 08:00:00", "Country": "Malta"}]}},
        "accounts",
        "account_id, country_code",
        [("17", "Malta")],
    ),
]
OLIST = [
    History(
        "an order that is cancelled later",
        {D1: {"orders": [ORDER]}, D2: {"orders": [{**ORDER, "order_status": "canceled"}]}},
        "orders",
        "order_id, financial_state",
        [("o1", "cancelled")],
    ),
    History(
        "a price that is corrected",
        {
            D1: {
                "items": [
                    {"order_id": "o1", "order_item_id": "1", "price": "9.90"},
                    {"order_id": "o1", "order_item_id": "2", "price": "1.00"},
                ]
            },
            D2: {"items": [{"order_id": "o1", "order_item_id": "1", "price": "8.90"}]},
        },
        "order_lines",
        "line_id, (100 * net_amount)::int",
        [("1", 890), ("2", 100)],
    ),
    History(
        "a person with two aliases on two days",
        {
            D1: {"customers": [{"customer_id": "c1", "customer_unique_id": "p"}]},
            D2: {"customers": [{"customer_id": "c2", "customer_unique_id": "p"}]},
        },
        "accounts",
        "account_id",
        [("p",)],
    ),
]


@each_order(RETAIL)
def test_the_lines_of_an_invoice_are_a_set(history: History, order: str, ingest: Any) -> None:
    check(ingest, "retail", history, order)


@each_order(OLIST)
def test_a_table_of_the_marketplace_has_one_row_per_key(history: History, order: str, ingest: Any) -> None:
    check(ingest, "olist", history, order)
