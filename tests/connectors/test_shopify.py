"""Shopify's Admin REST API as it is documented: Link headers, orders with what hangs on them, products with their costs."""

from __future__ import annotations

import datetime as dt
import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from dagster_project.connectors import loads
from dagster_project.errors import UsageError

RECORDS = runpy.run_path(str(Path(__file__).with_name("payloads.py")))  # tests are no package, so no import
API = "/admin/api/2026-01"
ORDERS = f"{API}/orders.json"


def ok(body: dict[str, Any], **headers: str) -> tuple[int, dict[str, str], bytes]:
    return 200, headers, json.dumps(body).encode()


@pytest.fixture
def shop(fetching: Any, replay: Any) -> Any:
    fetching.add(
        "shop", kind="shopify", system="shopify", url=replay.url, token_env="CANARY", start=dt.date(2026, 11, 1), streams=["orders"]
    )
    return fetching


def orders_of(replay: Any, *pages: list[dict[str, Any]]) -> None:
    """Answer pages that follow each other by a Link header; the link must come alone, as Shopify demands."""

    def answer(query: dict[str, str]) -> Any:
        if "page_info" in query:
            assert set(query) == {"page_info", "limit"}
        at = int(query.get("page_info", "0"))
        link = f'<{replay.url}{ORDERS}?limit=250&page_info={at + 1}>; rel="next"' if at + 1 < len(pages) else ""
        before = f'<{replay.url}{ORDERS}?limit=250&page_info=0>; rel="previous"' if at else ""
        return ok({"orders": pages[at]}, Link=", ".join(filter(None, (before, link))))

    replay.on(ORDERS, answer)


def test_orders_are_read_page_by_page_and_asked_for_from_the_last_change_on(shop: Any, replay: Any) -> None:
    order = RECORDS["order"]
    orders_of(replay, [order(1), order(2)], [order(3)])
    assert shop.deliver("shop")["order"] == 3
    assert replay.asked[0][1] == {"status": "any", "limit": "250", "order": "updated_at asc", "updated_at_min": "2026-11-01T00:00:00+00:00"}
    assert replay.headers[0]["X-Shopify-Access-Token"].startswith("canary")
    orders_of(replay, [order(2), order(3, financial_status="refunded", updated_at="2026-11-21T10:00:00Z")])
    assert shop.deliver("shop")["order"] == 1
    assert replay.asked[2][1]["updated_at_min"] == "2026-11-20T14:56:03+00:00"
    assert [(row["id"], row["financial_status"]) for row in shop.rows("order")][3:] == [("3", "refunded")]


def test_an_order_becomes_its_tables(shop: Any, replay: Any) -> None:
    orders_of(replay, [RECORDS["order"](450789469)])
    assert shop.deliver("shop") == {
        **{"order": 1, "order_line": 2, "tax_line": 2, "discount_allocation": 1, "order_tag": 2, "order_note_attribute": 1},
        **{"order_shipping_line": 1, "refund": 1, "order_line_refund": 1, "order_adjustment": 1, "transaction": 1},
    }

    def filled(stream: str) -> list[dict[str, str]]:
        return [{name: value for name, value in row.items() if value and name != "_fivetran_synced"} for row in shop.rows(stream)]

    (order,) = filled("order")
    expected = {
        "created_at": "2026-11-20 15:00:00",
        "customer_id": "207119551",
        "billing_address_address_1": "Chestnut Street 92",
        "billing_address_latitude": "45.41634",
        "landing_site_base_url": "http://www.example.com?source=abc",
        "test": "false",
        "total_tax": "0.10",
    }
    assert {name: order[name] for name in expected} == expected
    assert [(line["order_id"], line["id"], line["index"]) for line in filled("order_line")] == [
        ("450789469", "466157049", "1"),
        ("450789469", "466157050", "2"),
    ]
    assert [(tax["order_line_id"], tax["index"], tax["price"], tax["rate"]) for tax in filled("tax_line")] == [
        ("466157049", "1", "0.05", "0.06"),
        ("466157049", "2", "0.05", "0.06"),
    ]
    (discount,) = filled("discount_allocation")
    assert (discount["amount"], discount["amount_set_shop_money_currency_code"]) == ("9.50", "EUR")
    assert [(tag["value"], tag["index"]) for tag in filled("order_tag")] == [("vip", "1"), ("first order", "2")]
    assert filled("order_note_attribute") == [{"name": "channel", "order_id": "450789469", "value": "radio"}]
    (refund,) = filled("refund")
    assert (refund["order_id"], refund["created_at"], refund["note"]) == ("450789469", "2026-11-20 23:30:00", "it broke")
    (line,) = filled("order_line_refund")
    assert (line["refund_id"], line["order_line_id"], line["subtotal"], line["total_tax"]) == ("509562969", "466157050", "0.5", "0.0")
    (adjustment,) = filled("order_adjustment")
    assert (adjustment["order_id"], adjustment["refund_id"], adjustment["amount"]) == ("450789469", "509562969", "-1.00")
    (payment,) = filled("transaction")
    assert (payment["order_id"], payment["refund_id"], payment["kind"]) == ("450789469", "509562969", "refund")


def test_payments_are_asked_for_with_each_order_that_changed_and_refunds_come_once(shop: Any, replay: Any) -> None:
    shop.add("shop", **{**shop.sources["shop"], "streams": ["orders", "transactions"]})
    orders_of(replay, [RECORDS["order"](1), RECORDS["order"](2, refunds=[])])
    sale = {
        "id": 9,
        "order_id": 1,
        "kind": "sale",
        "amount": "190.10",
        "status": "success",
        "payment_details": {"credit_card_company": "Visa"},
    }
    refund = {"id": 179259969, "order_id": 1, "kind": "refund", "amount": "0.50", "status": "success"}
    replay.pages(f"{API}/orders/1/transactions.json", {"transactions": [sale, refund]})
    replay.pages(f"{API}/orders/2/transactions.json", {"transactions": []})
    assert shop.deliver("shop")["transaction"] == 2
    assert [(row["id"], row["refund_id"], row["payment_credit_card_company"]) for row in shop.rows("transaction")] == [
        ("179259969", "509562969", None),
        ("9", None, "Visa"),
    ]
    assert shop.deliver("shop") == {}
    assert [path for path, _ in replay.asked[3:]] == [ORDERS]


def test_a_stream_that_hangs_on_another_needs_it(shop: Any) -> None:
    shop.add("shop", **{**shop.sources["shop"], "streams": ["transactions"]})
    with pytest.raises(UsageError, match="remedy: add orders"):
        shop.deliver("shop")


def test_a_cost_that_changes_without_its_product_is_delivered_in_the_currency_of_the_shop(shop: Any, replay: Any) -> None:
    shop.add("shop", **{**shop.sources["shop"], "streams": ["products", "inventory_items"]})
    replay.pages(f"{API}/products.json", {"products": [RECORDS["product"](number) for number in range(1, 121)]})
    replay.pages(f"{API}/shop.json", {"shop": {"currency": "EUR"}})
    costs = {str(number * 100): "10.00" for number in range(1, 121)}

    def items(query: dict[str, str]) -> Any:
        ids = query["ids"].split(",")
        assert len(ids) <= 100
        return ok({"inventory_items": [{"id": int(item), "cost": costs[item], "updated_at": "2026-11-01T00:00:00Z"} for item in ids]})

    replay.on(f"{API}/inventory_items.json", items)
    assert shop.deliver("shop") == {"product": 120, "product_variant": 120, "inventory_item": 120}
    assert shop.deliver("shop") == {}
    costs["700"] = "11.00"
    assert shop.deliver("shop") == {"inventory_item": 1}
    row = shop.rows("inventory_item")[-1]
    assert (row["id"], row["unit_cost_amount"], row["unit_cost_currency_code"]) == ("700", "11.00", "EUR")


def test_a_first_fetch_of_years_is_committed_in_parts_and_goes_on(shop: Any, replay: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loads, "LOAD_ROWS", 20)
    bare = [RECORDS["order"](number, refunds=[], line_items=[], note_attributes=[], shipping_lines=[], tags="") for number in range(60)]

    def answer(query: dict[str, str]) -> Any:
        if "page_info" in query:
            at = int(query["page_info"])
        else:
            since = dt.datetime.fromisoformat(query["updated_at_min"])
            at = next(number for number, order in enumerate(bare) if dt.datetime.fromisoformat(order["updated_at"]) >= since)
        link = f'<{replay.url}{ORDERS}?limit=15&page_info={at + 15}>; rel="next"' if at + 15 < len(bare) else ""
        return ok({"orders": bare[at : at + 15]}, Link=link)

    replay.on(ORDERS, answer)
    assert shop.deliver("shop") == {"order": 60}
    assert sorted(int(row["id"] or "") for row in shop.rows("order")) == list(range(60))
    assert len(shop.files()) > 2
