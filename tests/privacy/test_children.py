"""Rows that name no account and hang on a record of the forgotten one: they lose their texts, and nobody else's row does.

Breaks: the lines of an order, the events of a ticket or what was paid keep what people wrote of somebody who was forgotten.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dagster_project.contracts.model import feeds, load_contract
from dagster_project.privacy.children import references
from tests.ingest.mapping_files import write_system
from tests.privacy.landing_files import below, erase

DAY = "2026-01-02"
TICKETS = "ticket_id,account_id,contact_id,created_at,ticket_state,channel\n"
EVENTS = "ticket_id,event_number,event_at,event_type,field_name,new_value\n"
AT = "2026-01-01T10:00:00Z"


def ticket(number: object, account: str, contact: str = "", created: str = AT) -> str:
    return f"{number},{account},{contact},{created},solved,email\n"


def event(number: object, text: str) -> str:
    return f"{number},1,{AT},field_change,{text},{text}\n"


@pytest.fixture
def company(make_ingest: Callable[..., Any]) -> Any:
    """Tickets of zoe (1), of ann (2), and of both in turn (3)."""
    ingest = make_ingest()
    ingest.deliver(f"canonical/accounts/{DAY}/a.csv", "account_id,account_name\nacc-zoe,Zoe Zander\nacc-ann,Ann\n")
    ingest.deliver(f"canonical/contacts/{DAY}/c.csv", "contact_id,account_id\ncon-z,acc-zoe\ncon-a,acc-ann\n")
    rows = ticket(1, "acc-zoe") + ticket(2, "acc-ann") + ticket(3, "acc-ann")
    ingest.deliver(f"canonical/tickets/{DAY}/t.csv", TICKETS + rows)
    ingest.deliver("canonical/tickets/2026-01-03/t.csv", TICKETS + ticket(3, "acc-zoe"))
    ingest.deliver(f"canonical/ticket_events/{DAY}/e.csv", EVENTS + event(1, "Zyxzoe") + event(2, "Annword") + event(3, "Bothword"))
    return ingest


def forget_zoe(ingest: Any) -> dict[str, Any]:
    assert ingest.walk().refusals == []
    _, done = erase(ingest)
    assert ingest.walk().refusals == []
    return dict(done)


def events_of(ingest: Any) -> list[tuple[Any, ...]]:
    return ingest.all("select ticket_id, field_name, new_value from lake.ticket_events order by 1")


def test_what_hangs_on_what_follows_from_the_contracts() -> None:
    found = {feed: set(references(feed)) - set(load_contract(feed).primary_key) for feed in feeds()}
    assert found["refunds"] == {"order_id"}
    assert found["tickets"] == {"merged_into_ticket_id", "follow_up_of_ticket_id", "order_id"}
    assert references("ticket_events") == {"ticket_id": "tickets"}
    assert not any(found[feed] for feed in feeds() if load_contract(feed).key_scope == "company")


@pytest.mark.fault("S20")
def test_events_of_its_tickets_lose_their_texts_and_others_keep_them(company: Any) -> None:
    done = forget_zoe(company)
    assert events_of(company) == [("1", None, None), ("2", "Annword", "Annword"), ("3", "Bothword", "Bothword")]
    assert b"Zyxzoe" not in below(company.settings.landing)
    assert done["records_removed"][f"canonical/ticket_events/{DAY}/e.csv"] == 1


@pytest.mark.fault("S20")
def test_a_row_of_another_account_or_contact_is_theirs_though_it_names_the_ticket(company: Any) -> None:
    head = "interaction_id,ticket_id,account_id,contact_id,channel,direction,started_at,outcome,purpose\n"
    tail = f"email,in,{AT},answered"
    company.deliver(
        f"canonical/interactions/{DAY}/i.csv",
        head + f"i1,1,,,{tail},Zoeword\ni2,1,acc-ann,,{tail},Annword\ni3,1,,con-a,{tail},Annword\ni4,1,,con-unknown,{tail},Zyxword\n",
    )
    forget_zoe(company)
    assert company.all("select interaction_id, purpose from lake.interactions order by 1") == [
        ("i1", None),
        ("i2", "Annword"),
        ("i3", "Annword"),
        ("i4", None),
    ]
    assert b"Zoeword" not in below(company.settings.landing)


@pytest.mark.fault("S20")
def test_two_levels_down_and_what_was_delivered_after_it_was_forgotten(company: Any) -> None:
    head = "interaction_id,ticket_id,channel,direction,started_at,outcome,purpose\n"
    company.deliver(f"canonical/interactions/{DAY}/i.csv", head + f"i1,1,email,in,{AT},answered,one\n")
    offers = "offer_id,interaction_id,offered_at,offer_kind,declined_reason\n"
    example = load_contract("offers").column("offer_kind").valid_values[0]
    company.deliver(f"canonical/offers/{DAY}/o.csv", offers + f"f1,i1,{AT},{example},Zoe Zyx wants none\n")
    forget_zoe(company)
    assert company.all("select offer_id, declined_reason from lake.offers") == [("f1", None)]
    company.deliver(
        "canonical/ticket_events/2026-01-04/e.csv", EVENTS.replace("event_number", "event_number") + f"1,2,{AT},field_change,Zoe,Zoelate\n"
    )
    forget_zoe(company)
    assert ("1", None, None) in company.all("select ticket_id, field_name, new_value from lake.ticket_events where event_number = 2")
    assert b"Zoelate" not in below(company.settings.landing)
    before = below(company.settings.landing)
    forget_zoe(company)
    assert below(company.settings.landing) == before


@pytest.mark.fault("S20")
def test_what_hangs_on_a_refused_record_goes_too(company: Any) -> None:
    rows = "".join(ticket(number, "acc-ann") for number in range(100, 400))
    company.deliver(f"canonical/tickets/{DAY}/u.csv", TICKETS + rows + ticket(9, "acc-zoe", created="soon"))
    company.deliver(f"canonical/ticket_events/{DAY}/u.csv", EVENTS + event(9, "Zoenine") + event(100, "Annword"))
    forget_zoe(company)
    assert ("9", None, None) in events_of(company)
    assert b"Zoenine" not in below(company.settings.landing)


MAPPING = """
time_zone: UTC
streams:
  ticket:
    columns: [id, who, made]
    key: [id]
    feeds: {tickets: {sql: tickets.sql, records: true}}
  audit:
    columns: [id, ticket, word]
    key: [id]
    feeds: {ticket_events: {sql: events.sql, records: true}}
"""


@pytest.mark.fault("S20")
def test_an_id_finds_the_ticket_of_its_own_system(make_ingest: Callable[..., Any], tmp_path: Any) -> None:
    """Ticket 1 is zoe's in the desk and ann's in the files of the company; ticket 7 is zoe's in the desk alone."""
    mappings = write_system(
        tmp_path / "mappings",
        "desk",
        MAPPING,
        tickets="select record_number, id as ticket_id, who as account_id, made as created_at, 'open' as ticket_state, 'email' as channel"
        " from source",
        events="select record_number, ticket as ticket_id, id as event_number, '2026-01-01T00:00:00Z' as event_at,"
        " 'field_change' as event_type, word as field_name from source",
    )
    ingest = make_ingest(mappings=mappings)
    ingest.deliver(f"canonical/accounts/{DAY}/a.csv", "account_id,account_name\nacc-zoe,Zoe Zander\nacc-ann,Ann\n")
    ingest.deliver(f"desk/ticket/{DAY}/t.csv", f"id,who,made\n1,acc-zoe,{AT}\n7,acc-zoe,{AT}\n8,acc-ann,{AT}\n")
    ingest.deliver(f"desk/audit/{DAY}/a.csv", "id,ticket,word\n11,1,Zyxone\n17,7,Zyxseven\n18,8,Anneight\n")
    ingest.deliver(f"canonical/tickets/{DAY}/t.csv", TICKETS + ticket(1, "acc-ann"))
    ingest.deliver(f"canonical/ticket_events/{DAY}/e.csv", EVENTS + event(1, "Annone") + event(7, "Zyxother"))
    forget_zoe(ingest)
    reported = ingest.all("select event_number, field_name from lake.ticket_events where not is_withdrawn order by all")
    assert reported == [(1, "Annone"), (1, None), (11, None), (17, None), (18, "Anneight")]
    for word in (b"Zyxone", b"Zyxseven", b"Zyxother"):
        assert word not in below(ingest.settings.landing)
