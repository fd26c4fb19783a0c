"""docs/quarantine.md has a section for each rule, and the message it shows is the one that ingest really gives."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dagster_project.ingest.conform.quarantine import PAGE, REMEDIES
from tests.ingest.mapping_files import write_system

PROJECT = Path(__file__).resolve().parents[2]
PARTS = ("Meaning", "Why", "Message", "Repair")
ORDERS = ("orders", "order_id,ordered_at,currency_code,net_amount,is_test\n", "g{},2026-01-01T10:00:00Z,EUR,1.00,\n")
CALLS = (
    "interactions",
    "interaction_id,channel,direction,outcome,started_at,ended_at\n",
    "g{},phone,in,answered,2026-01-01T10:00:00Z,2026-01-01T10:05:00Z\n",
)
TIME = ("agent_time", "agent_id,work_date,agent_state,state_seconds\n", "g{},2026-01-01,talk,60\n")
ANSWERS = ("survey_responses", "response_id,question_key,responded_at,scale_min,scale_max,score\n", "g{},q,2026-01-01T00:00:00Z,1,5,4\n")
RATES = (
    "fx_rates",
    "rate_date,from_currency_code,to_currency_code,rate_type,rate_source,exchange_rate\n",
    "2026-01-01,USD,EUR,closing,s{},0.9\n",
)
TICKETS = ("tickets", "ticket_id,created_at,ticket_state,channel,merged_into_ticket_id\n", "g{},2026-01-01T10:00:00Z,open,email,\n")
LEDGER = (
    "ledger_actuals",
    "journal_id,line_number,book_id,legal_entity,cost_centre,fiscal_period,posted_at,gl_account,cost_category,pool_id,ledger_amount,currency_code\n",
    "g{},1,b,E,C,2026-01,2026-01-01T10:00:00Z,G,people,P,1.00,EUR\n",
)
HOURS = (
    "business_hours",
    "schedule_id,weekday,valid_from_date,start_minutes,end_minutes,time_zone\n",
    "g{},1,2026-01-01,480,1020,Europe/Berlin\n",
)
CASES: dict[str, tuple[tuple[str, str, str], str]] = {
    "number_format": (ORDERS, 'o412,2026-01-01T10:00:00Z,EUR,"12,5",\n'),
    "decimals": (ORDERS, "o412,2026-01-01T10:00:00Z,EUR,1.005,\n"),
    "number_range": (ORDERS, "o412,2026-01-01T10:00:00Z,EUR,12345678901234567.00,\n"),
    "instant_format": (ORDERS, "o412,20.11.2026 08:15,EUR,1.00,\n"),
    "date_format": (TIME, "a7,20.11.2026,talk,60\n"),
    "boolean_format": (ORDERS, "o412,2026-01-01T10:00:00Z,EUR,1.00,ja\n"),
    "required": (ORDERS, "o412,2026-01-01T10:00:00Z,,1.00,\n"),
    "closed_list": (TIME, "a7,2026-01-01,asleep,60\n"),
    "minimum": (TIME, "a7,2026-01-01,talk,-60\n"),
    "maximum": (TIME, "a7,2026-01-01,talk,90000\n"),
    "identifier_format": (ORDERS, "1.2E+17,2026-01-01T10:00:00Z,EUR,1.00,\n"),
    "pattern": (ORDERS, "o412,2026-01-01T10:00:00Z,€,1.00,\n"),
    "scale": (ANSWERS, "r412,q,2026-01-01T00:00:00Z,1,5,9\n"),
    "order_of_instants": (CALLS, "c412,phone,in,answered,2026-01-01T10:00:00Z,2026-01-01T09:00:00Z\n"),
    "same_currency": (RATES, "2026-01-01,EUR,EUR,closing,ECB,2\n"),
    "self_reference": (TICKETS, "T412,2026-01-01T10:00:00Z,merged,email,T412\n"),
    "fiscal_period": (LEDGER, "J412,1,b,E,C,1999-13,2026-01-01T10:00:00Z,G,people,P,1.00,EUR\n"),
    "time_zone": (HOURS, "s412,1,2026-01-01,480,1020,Berlin\n"),
    "future_instant": (ORDERS, "o412,2126-01-01T10:00:00Z,EUR,1.00,\n"),
    "field_count": (ORDERS, "o412,2026-01-01T10:00:00Z\n"),
    "quote_format": (ORDERS, 'o412,2026-01-01T10:00:00Z,"E"UR,1.00,\n'),
}


def sections() -> dict[str, str]:
    """Text of each section about a rule, by the name of the rule."""
    text = (PROJECT / PAGE).read_text(encoding="utf-8")
    return dict(re.findall(r"^### ([a-z_0-9]+)\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL))


def reported(rejections: list[str]) -> str:
    """The reason of the first record reported, without its place."""
    return str(re.search(r"^  record [\d,]+(?: \(line [\d,]+\))? (.*?)   rule ", "\n".join(rejections), re.MULTILINE)[1])  # type: ignore[index]


def test_every_rule_has_a_section_and_every_section_a_rule() -> None:
    assert list(sections()) == list(REMEDIES)


@pytest.mark.parametrize("rule", REMEDIES)
def test_a_section_says_what_why_how_it_is_told_and_how_to_repair_it(rule: str) -> None:
    for part in PARTS:
        assert f"**{part}.**" in sections()[rule]
    assert f"{PAGE}#{rule}" in sections()[rule]


@pytest.mark.parametrize("rule", CASES)
def test_the_message_on_the_page_is_the_one_that_ingest_gives(rule: str, ingest: Any) -> None:
    (feed, header, good), bad = CASES[rule]
    ingest.deliver(f"canonical/{feed}/2026-01-02/a.csv", header + "".join(good.format(number) for number in range(400)) + bad)
    report = ingest.walk()
    assert [file.quarantined for file in report.files] == [1]
    assert ingest.ledger.rows("select rule from quarantine") == [(rule,)]
    assert f"`{reported(report.rejections)}`" in sections()[rule]


def test_the_message_about_a_new_column_is_the_one_that_ingest_gives(ingest: Any, amend_contract: Callable[[str, str, str], None]) -> None:
    amend_contract("orders", "status: active", "status: active\ncustomProperties:\n  - {property: newColumns, value: discard_row}")
    _, header, good = ORDERS
    rows = "".join(good.format(number).replace("\n", ",\n") for number in range(400))
    ingest.deliver(
        "canonical/orders/2026-01-02/a.csv", header.replace("\n", ",mood\n") + rows + "o412,2026-01-01T10:00:00Z,EUR,1.00,,calm\n"
    )
    assert f"`{reported(ingest.walk().rejections)}`" in sections()["new_column"]


def test_the_message_about_a_record_that_is_not_mapped_is_the_one_that_ingest_gives(
    make_ingest: Callable[..., Any], tmp_path: Path
) -> None:
    feeds = "    feeds:\n      orders: {sql: o.sql, records: true}\n"
    yml = f"time_zone: UTC\nstreams:\n  sales:\n    columns: [id, sold]\n{feeds}"
    select = "select record_number, id as order_id, sold as ordered_at, 'EUR' as currency_code from source"
    ingest = make_ingest(mappings=write_system(tmp_path / "mappings", "till", yml, o=f"{select} where id <> 'bad'"))
    rows = "".join(f"g{number},2026-01-01 10:00:00\n" for number in range(400))
    ingest.deliver("till/sales/2026-01-02/a.csv", f"id,sold\n{rows}bad,2026-01-01 10:00:00\n")
    assert f"`{reported(ingest.walk().rejections)}`" in sections()["not_mapped"]
