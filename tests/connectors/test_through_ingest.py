"""What connectors deliver walks through ingest: every record in one bucket, none twice, money to the cent."""

from __future__ import annotations

import datetime as dt
import json
import runpy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dagster_project.assumptions import load_assumptions
from dagster_project.ingest.landing.inventory import new_files
from dagster_project.ingest.loading import load
from dagster_project.ingest.mapping.systems import Mappings
from dagster_project.ledger.store import Ledger

RECORDS = runpy.run_path(str(Path(__file__).with_name("payloads.py")))  # tests are no package, so no import
INGEST = runpy.run_path(str(Path(__file__).parents[1] / "ingest" / "conftest.py"))["Ingest"]
TOMORROW = dt.datetime(2026, 11, 27, 6, tzinfo=dt.UTC)


def ok(body: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    return 200, {}, json.dumps(body).encode()


def walk(fetching: Any, ingest: Any = None) -> Any:
    """Load what lies in the landing folder; fails on any refused file or record."""
    ingest = ingest or INGEST(fetching.settings, load_assumptions())
    report = ingest.walk()
    report.raise_if_refused()
    assert [record for file in report.files for record in file.quarantine] == []
    assert all(file.physical == file.loaded + file.superseded for file in report.files)
    return ingest


@pytest.mark.fault("D1", "D2")
def test_rows_of_a_database_become_typed_rows_of_the_feed_and_a_change_its_next_version(fetching: Any, postgres: Any) -> None:
    postgres.run(
        """create table shop.orders (order_id text primary key, account_id text, ordered_at timestamptz, currency_code char(3),
        net_amount numeric(12, 2), financial_state text, source_updated_at timestamptz not null)""",
        """insert into shop.orders select 'o' || n, 'a1', '2026-11-20 10:00+01', 'EUR', n + 0.10, 'paid', '2026-11-20 10:00+00'
        from generate_series(1, 3) n""",
    )
    streams = {"orders": {"table": "shop.orders", "primary_key": ["order_id"], "cursor": "source_updated_at"}}
    fetching.add("erp", kind="postgresql", system="canonical", url=postgres.url, password_env="CANARY_DB", streams=streams)
    fetching.deliver("erp")
    ingest = walk(fetching)
    postgres.run("update shop.orders set net_amount = 7.77, source_updated_at = '2026-11-21 10:00+00' where order_id = 'o2'")
    fetching.deliver("erp", now=TOMORROW)
    walk(fetching, ingest)
    latest = "select order_id, arg_max(net_amount, source_updated_at) from lake.orders group by all order by 1"
    assert ingest.all(latest) == [("o1", Decimal("1.10")), ("o2", Decimal("7.77")), ("o3", Decimal("3.10"))]
    assert ingest.all("select count(*), min(ordered_at) = timestamptz '2026-11-20 09:00:00+00' from lake.orders") == [(4, True)]


@pytest.mark.fault("D8")
def test_a_file_that_lost_rows_on_its_way_differs_from_its_manifest(fetching: Any, postgres: Any) -> None:
    import pyarrow.parquet as pq

    postgres.run(
        "create table shop.accounts (account_id text, account_kind text)", "insert into shop.accounts values ('a', 'b2b'), ('b', 'b2c')"
    )
    streams = {"accounts": {"table": "shop.accounts", "primary_key": ["account_id"]}}
    fetching.add("erp", kind="postgresql", system="canonical", url=postgres.url, password_env="CANARY_DB", streams=streams)
    fetching.deliver("erp")
    (path,) = fetching.settings.landing.glob("*/*/*/*.parquet")
    pq.write_table(pq.read_table(path).slice(0, 1), path)
    ledger = Ledger(fetching.settings.ops)
    fresh = new_files(fetching.settings.landing, ledger, Mappings(None))
    report = load(fetching.settings, load_assumptions(), ledger, fresh, "run-1")
    assert "states rows 2, found 1" in " ".join(report.refusals)


def test_tickets_of_zendesk_become_tickets_with_their_history_and_ratings(fetching: Any, replay: Any) -> None:
    ticket, event, rating, call = RECORDS["ticket"], RECORDS["ticket_event"], RECORDS["rating"], RECORDS["call"]
    about = {"created_at": "2026-01-02T00:00:00Z", "updated_at": "2026-01-02T00:00:00Z", "active": True, "suspended": False, "tags": []}
    users = [
        {"id": 20978392, "name": "A", "role": "end-user", "organization_id": 509974, **about},
        {"id": 76872, "name": "B", "role": "agent", **about},
        {"id": 235323, "name": "C", "role": "agent", **about},
    ]
    organization = {
        "id": 509974,
        "name": "Acme",
        "tags": ["kind_b2b"],
        "external_id": None,
        **{key: about[key] for key in ("created_at", "updated_at")},
    }
    group = {"id": 98738, "name": "Support", **{key: about[key] for key in ("created_at", "updated_at")}}
    end = {"end_time": 1_795_300_000, "end_of_stream": True}
    replay.pages(
        "/api/v2/incremental/tickets/cursor.json", {"tickets": [ticket(35436, status="solved")], "after_cursor": "c", "end_of_stream": True}
    )
    replay.pages("/api/v2/incremental/users/cursor.json", {"users": users, "after_cursor": "c", "end_of_stream": True})
    replay.pages("/api/v2/incremental/ticket_events.json", {"ticket_events": [event(1)], **end})
    replay.pages("/api/v2/incremental/organizations.json", {"organizations": [organization], **end})
    replay.pages("/api/v2/groups.json", {"groups": [group], "links": {}})
    replay.pages("/api/v2/satisfaction_ratings.json", {"satisfaction_ratings": [rating(1, ticket_id=35436, score="good")], "links": {}})
    replay.pages("/api/v2/channels/voice/stats/incremental/calls.json", {"calls": [call(1, ticket_id=35436, customer_id=20978392)], **end})
    replay.pages("/api/v2/channels/voice/stats/incremental/legs.json", {"legs": [], **end})
    about_desk = {"url": replay.url, "email": "a@acme.example", "token_env": "CANARY", "start": dt.date(2026, 1, 1)}
    fetching.add("desk", kind="zendesk", system="zendesk", **about_desk)
    fetching.deliver("desk")
    ingest = walk(fetching)
    assert ingest.all("select ticket_id, ticket_state, priority, channel from lake.tickets") == [("35436", "solved", "high", "email")]
    assert ("status_change", "solved") in ingest.all("select event_type, new_value from lake.ticket_events")
    assert ingest.all("select count(*) from lake.survey_responses") == [(1,)]
    assert fetching.deliver("desk", now=TOMORROW)["ticket"] == 1, "the server gives everything again"
    walk(fetching, ingest)
    assert ingest.all("select distinct ticket_id, ticket_state, priority, channel from lake.tickets") == [
        ("35436", "solved", "high", "email")
    ]


def test_an_order_of_shopify_becomes_an_order_with_lines_costs_payments_and_refunds(fetching: Any, replay: Any) -> None:
    api = "/admin/api/2026-01"
    order = RECORDS["order"](450789469)
    line = order["line_items"][0]
    customer = {
        "id": 207119551,
        "first_name": "Bob",
        "created_at": "2026-01-02T00:00:00Z",
        "updated_at": "2026-01-02T00:00:00Z",
        "tags": "",
    }
    product = RECORDS["product"](line["product_id"])
    product["variants"][0] |= {"id": line["variant_id"], "inventory_item_id": 808950810}
    sale = {"id": 9, "order_id": 450789469, "kind": "sale", "amount": "190.10", "status": "success", "currency": "EUR"}
    sale |= {"created_at": "2026-11-20T10:00:00-05:00", "processed_at": "2026-11-20T10:00:00-05:00", "gateway": "visa", "test": False}
    order["refunds"][0]["transactions"][0] |= {"created_at": "2026-11-21T00:30:00+01:00", "currency": "EUR", "test": False}
    replay.pages(f"{api}/orders.json", {"orders": [order]})
    replay.pages(f"{api}/orders/450789469/transactions.json", {"transactions": [sale]})
    replay.pages(f"{api}/customers.json", {"customers": [customer]})
    replay.pages(f"{api}/products.json", {"products": [product]})
    replay.pages(f"{api}/inventory_items.json", {"inventory_items": [{"id": 808950810, "cost": "25.00"}]})
    replay.pages(f"{api}/shop.json", {"shop": {"currency": "EUR"}})
    fetching.add("shop", kind="shopify", system="shopify", url=replay.url, token_env="CANARY", start=dt.date(2026, 1, 1))
    fetching.deliver("shop")
    ingest = walk(fetching)
    money = "select " + ", ".join(f"{name}_amount::decimal(18, 2)::varchar" for name in ("gross", "discount", "tax", "net"))
    assert ingest.all(f"{money} from lake.orders") == [("199.50", "9.50", "0.10", "190.00")]
    assert ingest.all("select line_id, net_amount::decimal(18, 2)::varchar, unit_cost::varchar from lake.order_lines order by 1") == [
        ("466157049", "189.50", "25.0000"),
        ("466157050", "0.50", None),
    ]
    assert ingest.all("select count(*), sum(payment_amount)::decimal(18, 2)::varchar from lake.payments") == [(1, "190.10")]
    assert ingest.all("select distinct order_id from lake.refunds") == [("450789469",)]
    assert fetching.deliver("shop", now=TOMORROW) == {}
