"""Pools shared by calls, seats and sessions. Breaks: a telephone line paid for by e-mails, or cost lost because nobody called."""

from __future__ import annotations

import runpy
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
import yaml

from dagster_project.assumptions import load_assumptions
from dagster_project.errors import UsageError

Build = Callable[..., duckdb.DuckDBPyConnection]
Row = dict[str, Any]
Cents = dict[tuple[str, str], int]
Split = Callable[[int, list[int]], list[int]]
ledger = runpy.run_path(str(Path(__file__).with_name("test_cost_of_a_month.py")))["ledger"]
JANUARY, FEBRUARY = date(2025, 1, 1), date(2025, 2, 1)


def contact(name: str, channel: str, seconds: int, ticket: str | None = None, at: str = "2025-01-10", **more: Any) -> Row:
    return {
        "interaction_id": name, "channel": channel, "talk_seconds": seconds, "ticket_id": ticket, "started_at": f"{at}T10:00:00+00",
        "outcome": "answered",
    } | more  # fmt: skip


def ticket(name: str, department: str | None, account: str) -> Row:
    return {
        "ticket_id": name, "department_id": department, "account_id": account, "created_at": "2025-01-10T09:00:00+00",
        "ticket_state": "solved", "last_solved_at": "2025-01-10T12:00:00+00", "channel": "phone",
    }  # fmt: skip


def session(name: str, account: str | None, **more: Any) -> Row:
    return {"session_id": name, "account_id": account, "self_service_channel": "bot", "started_at": "2025-01-12T10:00:00+00"} | more


def pool(journal: str, amount: str, name: str, **more: Any) -> Row:
    return ledger(journal, amount, pool_id=name, cost_category="it", **more)


COMPANY: dict[str, list[Row]] = {
    "accounts": [{"account_id": name, "account_name": name, "created_at": "2024-01-01T00:00:00+00"} for name in "ab"],
    "tickets": [ticket("T1", "D1", "a"), ticket("T2", "D2", "b")],
    "interactions": [
        contact("c1", "phone", 100, "T1", agent_id="g1", department_id="D9"),
        contact("c2", "phone", 300, "T1", agent_id="g1"),
        contact("c5", "email", 200, "T1", agent_id="g1"),
        contact("c3", "email", 600, "T2", agent_id="g2"),
        contact("c4", "phone", 200, department_id="D2", agent_id="g3", account_id="b"),
        contact("lost", "phone", 500, "T2", agent_id="g4", outcome="abandoned_queue", talk_seconds=None),
        contact("c6", "email", 100, at="2025-02-10", department_id="D1", account_id="b"),
    ],
    "self_service_sessions": [
        session("s1", "a"), session("s2", "a"), session("s3", "b"), session("s4", None), session("s5", "b", is_deleted=True),
    ],
    "ledger_actuals": [
        pool("TEL", "10.00", "telephony"), pool("TEL1", "2.00", "telephony", department_id="D1"),
        pool("LIC", "9.00", "licences"), pool("LIC2", "8.00", "licences", department_id="D2"),
        pool("BOT", "4.00", "self_service"), pool("BOT1", "1.01", "self_service", department_id="D1"),
        ledger("PEOPLE", "12.00"),
        *(pool(f"{name}-feb", "5.00", name, fiscal_period="2025-02") for name in ("telephony", "licences", "self_service")),
        ledger("PEOPLE-feb", "6.00", "2025-02"), ledger("D7-feb", "1.00", "2025-02", department_id="D7", pool_id="d7"),
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def company(quick: Build) -> duckdb.DuckDBPyConnection:
    return quick(COMPANY, latest_delivery_date="2025-03-01")


def shares(company: duckdb.DuckDBPyConnection, level: str = "ticket") -> dict[str, dict[str, Decimal]]:
    found: dict[str, dict[str, Decimal]] = defaultdict(dict)
    sql = f"select split_part(cost_line_id, '|', 3), object_id, cost_amount from marts.mart_cost_allocation_{level}"
    for line, name, amount in company.execute(sql).fetchall():
        found[line][name] = amount
    return found


def money(**amounts: str) -> dict[str, Decimal]:
    return {name: Decimal(amount) for name, amount in amounts.items()}


def test_each_pool_goes_by_its_own_driver(company: duckdb.DuckDBPyConnection) -> None:
    found = shares(company)
    assert found["TEL"] == money(T1="6.67", c4="3.33")  # two calls and one; the abandoned one is no cost
    assert found["TEL1"] == money(T1="2.00")
    assert found["LIC"] == money(T1="3.00", T2="4.50", c4="1.50")  # one agent in D1, two in D2; then 600 and 200 seconds
    assert found["LIC2"] == money(T2="6.00", c4="2.00")
    assert found["BOT"] == money(a="2.00", b="1.00", ACCOUNT_UNKNOWN="1.00")
    assert found["BOT1"] == money(a="0.51", b="0.25", ACCOUNT_UNKNOWN="0.25")  # a session is of no department
    assert found["PEOPLE"] == money(T1="5.14", T2="5.14", c4="1.72")


def test_calls_of_a_ticket_share_the_line_equally_and_its_mail_has_none_of_it(company: duckdb.DuckDBPyConnection) -> None:
    found = shares(company, "interaction")
    assert found["TEL"] == money(c2="3.34", c1="3.33", c4="3.33")
    assert found["LIC"] == money(c1="0.50", c2="1.50", c5="1.00", c3="4.50", c4="1.50")
    assert found["BOT"] == shares(company)["BOT"]


def test_rows_say_their_driver_and_its_number(company: duckdb.DuckDBPyConnection) -> None:
    rows = company.execute(
        "select distinct split_part(cost_line_id, '|', 3) as line, object_kind, object_id, driver, driver_count, handle_time_source "
        "from marts.mart_cost_allocation_ticket where object_id in ('T1', 'a', 'UNALLOCATED') and cost_line_id not like '%D7%' order by all"
    ).fetchall()
    assert rows == [
        ("BOT", "self_service", "a", "sessions", 2, "none"), ("BOT1", "self_service", "a", "sessions", 2, "none"),
        ("LIC", "ticket", "T1", "seats", 600, "measured"), ("PEOPLE", "ticket", "T1", "handle_seconds", 600, "measured"),
        ("TEL", "ticket", "T1", "calls", 2, "none"), ("TEL1", "ticket", "T1", "calls", 2, "none"),
        ("licences-feb", "unallocated", "UNALLOCATED", "none", 0, "none"),
        ("self_service-feb", "unallocated", "UNALLOCATED", "none", 0, "none"),
        ("telephony-feb", "unallocated", "UNALLOCATED", "none", 0, "none"),
    ]  # fmt: skip


def test_a_driver_without_units_leaves_its_cost_in_sight_with_the_reason(company: duckdb.DuckDBPyConnection) -> None:
    rows = company.execute(
        "select pool_id, driver, allocated_amount, unallocated_amount, unallocated_reason, difference_amount "
        "from marts.mart_cost_reconciliation where period_month = ? order by 1", [FEBRUARY]
    ).fetchall()  # fmt: skip
    five, six, one, none = Decimal("5.00"), Decimal("6.00"), Decimal("1.00"), Decimal("0.00")
    assert rows == [
        ("d7", "time", none, one, "no_work", none),
        ("licences", "seats", none, five, "no_seats", none),
        ("p", "time", six, none, None, none),
        ("self_service", "sessions", none, five, "no_sessions", none),
        ("telephony", "calls", none, five, "no_calls", none),
    ]
    sums = company.execute("select sum(ledger_amount), sum(allocated_amount), sum(difference_amount) from marts.mart_cost_reconciliation")
    assert sums.fetchall() == [(Decimal("68.01"), Decimal("52.01"), none)]


def test_sessions_are_cost_of_their_account_and_no_contact(company: duckdb.DuckDBPyConnection) -> None:
    rows = company.execute(
        "select account_id, service_cost_amount from marts.mart_account_service_month where period_month = ? order by 1", [JANUARY]
    ).fetchall()
    assert dict(rows)["a"] == Decimal("5.14") + Decimal("6.67") + Decimal("2.00") + Decimal("3.00") + Decimal("2.51")
    assert sum(amount for _, amount in rows) == Decimal("46.01")
    calls = company.execute(
        "select cost_amount, volume_count from marts.mart_cost_per_unit where period_month = ? and unit_kind = 'call' and channel = 'all'",
        [JANUARY],
    ).fetchall()
    everything = Decimal("12.00") + Decimal("3.50") + Decimal("2.00") + Decimal("5.14") * 4 / 6 + Decimal("1.72")
    assert calls[0][1] == 3
    assert abs(calls[0][0] - everything) < Decimal("0.02")


def test_a_pool_has_one_driver_and_only_a_known_one(tmp_path: Path) -> None:
    assert load_assumptions().pool_drivers == ("telephony=calls", "licences=seats", "self_service=sessions")
    for value in (["bot=sessions", "bot=calls"], ["bot=minutes"], ["bot"], ["a,b=calls"]):
        file = tmp_path / "assumptions.yml"
        file.write_text(yaml.safe_dump({"pool_drivers": {"value": value, "unit": "u", "reason": "r"}}), encoding="utf-8")
        with pytest.raises(UsageError, match="pool_drivers"):
            load_assumptions(file)


def random_company(random: Random) -> dict[str, list[Row]]:
    tickets = [ticket(f"T{n}", random.choice(["D1", "D2", None]), random.choice("ab")) for n in range(6)]
    contacts = [
        contact(
            f"c{n}", random.choice(["phone", "email"]), random.randrange(0, 400), f"T{n}" if n < 6 else random.choice([None, "T1", "T2"]),
            department_id=random.choice(["D1", "D3", None]), agent_id=random.choice(["g1", "g2", "g3", None]),
        )
        for n in range(20)
    ]  # fmt: skip
    sessions = [session(f"s{n}", random.choice(["a", "b", None])) for n in range(random.choice([0, 9]))]
    lines = [
        pool(
            f"J{n}", f"{random.randrange(-9_000, 90_000) / 100:.2f}",
            random.choice(["telephony", "licences", "self_service", "x"]), department_id=random.choice([None, None, "D1", "D3"]),
        )
        for n in range(30)
    ]  # fmt: skip
    return COMPANY | {"tickets": tickets, "interactions": contacts, "self_service_sessions": sessions, "ledger_actuals": lines}


class Walked:
    """The same shares, line by line and object by object; no code of the product."""

    def __init__(self, rows: dict[str, list[Row]], split: Split) -> None:
        self.split, self.objects = split, defaultdict[str, list[Row]](list)
        of = {row["ticket_id"]: row["department_id"] for row in rows["tickets"]}
        for row in rows["interactions"]:
            self.objects[row["ticket_id"] or row["interaction_id"]].append(row)
        self.department = {key: of[key] if key in of else found[0]["department_id"] for key, found in self.objects.items()}
        self.sessions: dict[str, int] = defaultdict(int)
        for row in rows["self_service_sessions"]:
            self.sessions[row["account_id"] or "ACCOUNT_UNKNOWN"] += 1
        self.found: Cents = defaultdict(int)
        for line in rows["ledger_actuals"]:
            self._share(line["journal_id"], int(Decimal(line["ledger_amount"]) * 100), line["pool_id"], line["department_id"])

    def _give(self, line: str, amount: int, weights: dict[str, int]) -> None:
        keys = sorted(weights)
        parts = self.split(amount, [weights[key] for key in keys]) if sum(weights.values()) else None
        for key, part in zip(keys, parts, strict=True) if parts else [("UNALLOCATED", amount)]:
            self.found[line, key] += part

    def _time(self, department: str | None) -> dict[str, int]:
        return {key: sum(row["talk_seconds"] for row in rows) for key, rows in self.objects.items() if self.department[key] == department}

    def _share(self, line: str, amount: int, name: str, department: str | None) -> None:
        everything = {key: sum(row["talk_seconds"] for row in rows) for key, rows in self.objects.items()}
        if name == "self_service":
            self._give(line, amount, self.sessions)
        elif name == "telephony":
            calls = {key: sum(row["channel"] == "phone" for row in rows) for key, rows in self.objects.items()}
            self._give(line, amount, {key: n for key, n in calls.items() if n and department in (None, self.department[key])})
        elif name == "licences" and department is None:
            agents: dict[str, set[str]] = defaultdict(set)
            for key, rows in self.objects.items():
                agents[self.department[key] or ""] |= {row["agent_id"] for row in rows if row["agent_id"]}
            seats = {key: len(names) for key, names in agents.items() if names}
            parts = self.split(amount, [seats[key] for key in sorted(seats)])
            for key, part in zip(sorted(seats), parts, strict=True):
                self._give(line, part, self._time(key or None))
        else:
            self._give(line, amount, everything if department is None else self._time(department))


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_random_pools_are_shared_as_a_walk_over_lines_and_objects_shares_them(quick: Build, hamilton: Split, seed: int) -> None:
    rows = random_company(Random(seed))
    walked = Walked(rows, hamilton)
    warehouse = quick(rows, latest_delivery_date="2025-03-01")
    found = {(line, key): int(cents * 100) for line, of in shares(warehouse).items() for key, cents in of.items()}
    assert found == {key: cents for key, cents in walked.found.items() if cents}
    assert len(found) > 50
    called = {row["interaction_id"] for row in rows["interactions"] if row["channel"] == "phone"}
    parts = shares(warehouse, "interaction")
    for line in (row["journal_id"] for row in rows["ledger_actuals"] if row["pool_id"] == "telephony"):
        of_tickets: dict[str, list[int]] = defaultdict(list)
        for row in rows["interactions"]:
            if row["ticket_id"] and row["interaction_id"] in called:
                of_tickets[row["ticket_id"]].append(int(parts[line].get(row["interaction_id"], 0) * 100))
        assert parts[line].keys() <= called | {"UNALLOCATED"}
        for key, cents in of_tickets.items():
            assert sum(cents) == found.get((line, key), 0)
            assert max(cents) - min(cents) <= 1
