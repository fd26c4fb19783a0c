"""Issue chains: the published fixture, every rule by a case, and chains that Python makes of random contacts.

Breaks: first contact resolution.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import duckdb
import pytest

Build = Callable[..., duckdb.DuckDBPyConnection]
Row = dict[str, Any]
DAY0 = datetime(2025, 3, 1, 10, tzinfo=UTC)
WINDOWS = (1, 3, 7, 14, 30)


def at(days: float) -> str:
    return (DAY0 + timedelta(days=days)).isoformat()


def ticket(name: str, account: str | None, day: float, **more: Any) -> Row:
    row = {"ticket_id": name, "account_id": account, "created_at": at(day), "ticket_state": "solved", "first_solved_at": at(day)}
    return {**row, "last_solved_at": at(day), "channel": "email", "issue_family": "billing", **more}


def contact(name: str, ticket_id: str | None, account: str | None, day: float, channel: str = "phone", **more: Any) -> Row:
    row = {"interaction_id": name, "ticket_id": ticket_id, "account_id": account, "channel": channel, "started_at": at(day)}
    return {**row, "ended_at": at(day + 0.01), "outcome": "answered", "talk_seconds": 600, **more}


def clock(day: float) -> Row:
    """One order that says how far the data reach."""
    return {"order_id": "CLOCK", "account_id": "z", "ordered_at": at(day), "currency_code": "EUR"}


# Day 30 is 31 March. c1 phone and e-mail; c2 chat and phone; c3 a ticket that was reopened; c4 a session and phone; c5 phone on day 28.
FIXTURE: dict[str, list[Row]] = {
    "tickets": [ticket("T1", "c1", 0), ticket("T2", "c2", 0), ticket("T3", "c3", 0, last_solved_at=at(2), reopen_count=1),
                ticket("T4", "c4", 0), ticket("T5", "c5", 28)],
    "interactions": [
        contact("1a", "T1", "c1", 0), contact("1b", "T1", "c1", 3, "email"),
        contact("2a", "T2", "c2", 0, "chat"), contact("2b", "T2", "c2", 9),
        contact("4", "T4", "c4", 0), contact("5", "T5", "c5", 28),
    ],
    "self_service_sessions": [
        {"session_id": "S", "self_service_channel": "bot", "account_id": "c4", "started_at": at(-0.1), "ended_at": at(-0.05),
         "outcome": "not_answered"}
    ],
    "orders": [clock(30)],
}  # fmt: skip


@pytest.fixture(scope="module")
def fixture(figures: Build) -> duckdb.DuckDBPyConnection:
    return figures(FIXTURE, latest_delivery_date="2025-03-31")


def metric(connection: duckdb.DuckDBPyConnection, name: str, cut: str = "all", month: str = "2025-03-01") -> Any:
    sql = "select member, num::int, den::int, value, null_reason from reporting.mart_metric"
    sql += " where metric_id = ? and cut = ? and period_month = ?"
    found = {member: tuple(rest) for member, *rest in connection.execute(sql, [name, cut, month]).fetchall()}
    return found.get("all") if cut == "all" else found


@pytest.mark.spec("C11", "C33", "C72", "C73")
def test_the_published_fixture(fixture: duckdb.DuckDBPyConnection) -> None:
    assert metric(fixture, "fcr_window_7") == (3, 5, 0.6, None)
    assert metric(fixture, "fcr_window_14") == (1, 4, 0.25, None)
    assert metric(fixture, "fcr_window_7_first_chain") == (2, 4, 0.5, None)
    assert metric(fixture, "fcr_window_1") == (6, 7, 6 / 7, None)  # c1 twice, c2 twice, c4 and c5; c3 was reopened
    assert metric(fixture, "issue_chains_immature")[0] == 1
    # The e-mail of c1 is a repeat of the call: another channel counts. Of window 30 nothing is mature.
    assert metric(fixture, "repeat_contact_rate_7")[:2] == (1, 6)
    assert metric(fixture, "fcr_window_30") == (None, None, None, "not_mature")
    # The session of c4 is no contact of the chain, and the chain began with it.
    assert metric(fixture, "self_service_first_rate")[:2] == (1, 5)
    assert metric(fixture, "human_resolution_after_self_service")[:2] == (1, 1)
    assert metric(fixture, "fcr_window_7", "channel") == {
        "chat": (1, 1, 1.0, None), "email": (0, 1, 0.0, None), "phone": (2, 3, 2 / 3, None)
    }  # fmt: skip


def test_the_contacts_of_two_windows_are_rows_of_their_own(fixture: duckdb.DuckDBPyConnection) -> None:
    rows = fixture.execute(
        "select contact_count, gap_before_seconds is null, gap_after_seconds is null, longest_gap_seconds / 86400,"
        " matures_on_1, matures_on_3, matures_on_7, matures_on_14, matures_on_30"
        " from marts.fct_issue_chain where account_id = 'c2' order by contact_count, first_contact_at"
    ).fetchall()
    assert rows == [
        (1, True, False, None, date(2025, 3, 3), date(2025, 3, 5), date(2025, 3, 9), None, None),
        (1, False, True, None, date(2025, 3, 12), date(2025, 3, 14), date(2025, 3, 18), None, None),
        (2, True, True, 8.99, None, None, None, date(2025, 3, 25), date(2025, 4, 10)),
    ]


def chains(connection: duckdb.DuckDBPyConnection, columns: str, window: int = 7) -> list[tuple[Any, ...]]:
    sql = f"select {columns} from marts.fct_issue_chain where matures_on_{window} is not null order by first_contact_at, chain_key"
    return connection.execute(sql).fetchall()


def test_merged_tickets_collapse_and_follow_ups_join_their_parent(quick: Build) -> None:
    rows = {
        "accounts": [{"account_id": "a"}, {"account_id": "b"}],
        "tickets": [
            # A duplicate that was merged is no contact of its own.
            ticket("M", "a", 0), ticket("D", "a", 0.2, ticket_state="merged", merged_into_ticket_id="M"),
            # F follows D up, so it follows M, whatever its own family says.
            ticket("F", "a", 4, issue_family="other", follow_up_of_ticket_id="D"),
            # Spam is of no customer, a deleted ticket no work; a circle of follow-ups stays apart.
            ticket("SPAM", "b", 0, ticket_state="spam"), ticket("GONE", "b", 1, is_deleted=True),
            ticket("X", "b", 0, issue_family="x", follow_up_of_ticket_id="Y"),
            ticket("Y", "b", 1, issue_family="y", follow_up_of_ticket_id="X"),
        ],
        "interactions": [contact("i", "D", "a", 0.2), contact("j", "GONE", "b", 1), contact("k", "SPAM", "b", 1)],
    }  # fmt: skip
    connection = quick(rows, latest_delivery_date="2025-06-01")
    assert chains(connection, "account_id, issue_family, first_contact_key, contact_count, ticket_count, is_first_contact_resolved") == [
        ("b", "x", "ticket X", 1, 1, True),
        ("a", "billing", "interaction i", 2, 2, False),
        ("b", "y", "ticket Y", 1, 1, True),
    ]


def test_what_is_a_contact_and_who_is_the_customer(quick: Build) -> None:
    rows = {
        "accounts": [{"account_id": "a"}, {"account_id": "old"}],
        "contacts": [{"contact_id": "alias", "account_id": "a"}],
        "account_merges": [{"from_account_id": "old", "to_account_id": "a", "merged_at": at(20)}],
        "interactions": [
            contact("in", None, "a", 0),
            contact("of_an_alias", None, None, 2, contact_id="alias"),
            contact("of_a_merged_account", None, "old", 4),
            contact("hung_up", None, "a", 5, outcome="abandoned_queue", talk_seconds=None),
            contact("reply", None, "a", 6, direction="out"),
            contact("deleted", None, "a", 6, is_deleted=True),
            contact("of_a_person", None, None, 1, contact_id="p"),
            contact("of_that_person", None, "unheard", 3, contact_id="p"),
            contact("of_nobody", None, None, 1),
        ],
    }
    connection = quick(rows, latest_delivery_date="2025-06-01")
    assert chains(connection, "account_id, contact_id, contact_count, channel_count") == [("a", None, 3, 1), ("ACCOUNT_UNKNOWN", "p", 2, 1)]


@pytest.mark.parametrize(
    ("tickets", "resolved", "first"),
    [
        ([ticket("T", "a", 0)], True, True),
        ([ticket("T", "a", 0, ticket_state="open", last_solved_at=None)], False, False),
        ([ticket("T", "a", 0, resolution_code="no_solution")], False, False),
        ([ticket("T", "a", 0, reopen_count=1)], True, False),
        ([], True, True),
    ],
    ids=["solved", "open", "closed_without_a_solution", "reopened", "no_ticket"],
)
def test_what_resolves_a_chain(quick: Build, tickets: list[Row], resolved: bool, first: bool) -> None:
    connection = quick({"tickets": tickets, "interactions": [contact("i", "T", "a", 0)]}, latest_delivery_date="2025-06-01")
    assert chains(connection, "is_resolved, is_first_contact_resolved") == [(resolved, first)]


def test_departments_of_a_chain(figures: Build) -> None:
    paths = {"aba": "ABA", "abc": "ABC", "aa": "AA", "none": "A ", "gap": "A A"}
    rows: dict[str, list[Row]] = {
        "tickets": [ticket(name, name, 0, ticket_state="open" if name == "abc" else "solved", last_solved_at=None)
                    for name in (*paths, "moved")],
        "interactions": [
            contact(f"{name}{n}", name, name, n, department_id=of.strip() or None)
            for name, path in paths.items() for n, of in enumerate(path)
        ],
        "orders": [clock(60)],
    }  # fmt: skip
    rows["interactions"].append(contact("m", "moved", "moved", 0, department_id="A", transferred_to_department_id="B"))
    connection = figures(rows, latest_delivery_date="2025-06-01")
    found = {
        row[0]: row[1:] for row in chains(connection, "account_id, department_count, is_between_departments, is_department_revisited", 30)
    }
    assert found == {
        "aba": (2, True, True), "abc": (3, True, False), "aa": (1, False, False), "none": (1, False, False), "gap": (1, False, False),
        "moved": (1, True, False),
    }  # fmt: skip
    assert metric(connection, "department_revisit_rate")[:2] == (1, 3)
    assert metric(connection, "chains_between_departments_unresolved_rate")[:2] == (1, 3)


MONEY: dict[str, list[Row]] = {
    "tickets": [ticket("T", "a", 0), ticket("U", "b", 0), ticket("W", "d", 0, handle_seconds=600)],
    "interactions": [
        contact("a1", "T", "a", 0), contact("a2", "T", "a", 2, "email"), contact("a3", "T", "a", 2.5, direction="out"),
        contact("b1", "U", "b", 0), contact("c1", None, "c", 5), contact("late", "U", "b", 32),
    ],
    "ledger_actuals": [
        {"journal_id": "J", "line_number": 1, "legal_entity": "E", "cost_centre": "C", "fiscal_period": "2025-03", "posted_at": at(20),
         "gl_account": "G", "cost_category": "people", "pool_id": "p", "ledger_amount": "600.00", "currency_code": "EUR"}
    ],
    "survey_responses": [
        {"response_id": f"R{name}", "question_key": "q", "survey_metric": "csat", "scale_min": 1, "scale_max": 5, "score": score,
         "ticket_id": name, "responded_at": at(3)} for name, score in (("T", 4), ("U", 2))
    ],
    "orders": [clock(40)],
}  # fmt: skip


@pytest.mark.spec("C34", "E16")
def test_the_cost_of_a_chain_and_of_its_repeats(figures: Build) -> None:
    """Six pieces of work of ten minutes cost 100.00 each; the reply follows the e-mail before it. April has no ledger."""
    connection = figures(MONEY, latest_delivery_date="2025-04-10")
    found = chains(connection, "account_id, cost_amount::int, repeat_cost_amount::int, cost_null_reason, is_started_by_bad_call")
    assert found == [
        ("a", 300, 200, None, True), ("b", 100, 0, None, True), ("d", 100, 0, None, False), ("c", 100, 0, None, False),
        ("b", None, None, "source_absent", False),
    ]  # fmt: skip
    total = connection.execute(
        "select sum(cost_amount) from marts.mart_cost_allocation_interaction where account_id <> 'UNALLOCATED'"
    ).fetchone()
    assert total == (Decimal("600.00"),)
    assert metric(connection, "issue_chain_cost")[0] == 600
    assert metric(connection, "repeat_contact_cost")[0] == 200
    assert metric(connection, "bad_call_repeat_cost")[0] == 200
    assert metric(connection, "cost_per_resolution")[2] == 150  # at least the 100 that a contact costs
    assert metric(connection, "chains_between_departments_unresolved_rate")[3] == "zero_denominator"
    assert metric(connection, "issue_chain_cost", month="2025-04-01")[3] == "source_absent"


def recomputed(rows: dict[str, list[Row]], window: int) -> list[tuple[Any, ...]]:
    """Chains by plain loops over a company whose tickets all have an account: first contact, contacts, resolved by one."""
    tickets = {row["ticket_id"]: row for row in rows["tickets"]}

    def end_of(name: str, column: str, wanted: Callable[[Row], bool]) -> str:
        seen = {name}
        while wanted(tickets[name]) and tickets[name][column] in tickets:
            name = tickets[name][column]
            assert name not in seen
            seen.add(name)
        return name

    def survivor(name: str) -> str:
        return end_of(name, "merged_into_ticket_id", lambda row: row["ticket_state"] == "merged")

    def family(name: str) -> str | None:
        name = survivor(name)
        while (parent := tickets[name].get("follow_up_of_ticket_id")) and survivor(parent) != name:
            name = survivor(parent)
        return tickets[name]["issue_family"]

    matters: dict[tuple[str, str | None], list[tuple[Any, ...]]] = {}
    contacted = set()
    for row in rows["interactions"]:
        own = row["ticket_id"] and survivor(row["ticket_id"])
        if row["direction"] == "in" and row["outcome"] == "answered" and not row.get("is_deleted"):
            contacted.add(own)
            end = max(row["started_at"], row["ended_at"])
            key = (row["account_id"] or tickets[own]["account_id"], family(own) if own else None)
            matters.setdefault(key, []).append((row["started_at"], f"interaction {row['interaction_id']}", end, own))
    for name, row in tickets.items():
        if survivor(name) == name and name not in contacted:
            solved = row["last_solved_at"] if row["ticket_state"] == "solved" else None
            end = max(row["created_at"], solved or row["created_at"])
            matters.setdefault((row["account_id"], family(name)), []).append((row["created_at"], f"ticket {name}", end, name))
    found = []
    for (account, about), contacts in matters.items():
        runs: list[list[tuple[Any, ...]]] = []
        until = None
        for one in sorted(contacts, key=lambda one: one[:2]):
            if until is None or datetime.fromisoformat(one[0]) - until > timedelta(days=window):
                runs.append([])
            runs[-1].append(one)
            until = max(until or datetime.fromisoformat(one[2]), datetime.fromisoformat(one[2]))
        for run in runs:
            known = [tickets[own] for *_, own in run if own]
            solved = all(row["ticket_state"] == "solved" for row in known) and not any(row["reopen_count"] for row in known)
            found.append((account, about, run[0][1], len(run), len(run) == 1 and solved))
    return sorted(found, key=str)


def random_rows(random: Random) -> dict[str, list[Row]]:
    """A company of few customers with many contacts over four months."""
    names = [f"T{n}" for n in range(40)]
    tickets = []
    for n, name in enumerate(names):
        day = random.uniform(0, 100)
        state = random.choice(["solved", "solved", "open", "merged"]) if n else "solved"
        more = {"merged_into_ticket_id": random.choice(names[:n])} if state == "merged" else {}
        more |= {"follow_up_of_ticket_id": random.choice(names[:n])} if n and state != "merged" and random.random() < 0.3 else {}
        tickets.append(ticket(name, random.choice("abc"), day, ticket_state=state, last_solved_at=at(day + random.uniform(0, 9)),
                              issue_family=random.choice(["x", "y", None]), reopen_count=random.choice([0, 0, 1]), **more))  # fmt: skip
    for row in tickets:
        # A merged ticket is of the account of the one that it was merged into.
        while row["ticket_state"] == "merged":
            target = next(other for other in tickets if other["ticket_id"] == row["merged_into_ticket_id"])
            row["account_id"] = target["account_id"]
            if target["ticket_state"] != "merged":
                break
            row = target
    interactions = [
        contact(f"I{n}", random.choice([*names, None]), random.choice("abc"), (day := random.uniform(0, 100)),
                random.choice(["phone", "chat", "email"]), ended_at=at(day + random.choice([0.01, 0.5, -1, 12])),
                direction=random.choice(["in", "in", "out"]), outcome=(outcome := random.choice(["answered"] * 3 + ["abandoned_queue"])),
                talk_seconds=60 if outcome == "answered" else None)
        for n in range(120)
    ]  # fmt: skip
    return {"tickets": tickets, "interactions": interactions, "accounts": [{"account_id": name} for name in "abc"]}


@pytest.mark.parametrize("seed", range(3))
def test_chains_are_those_of_plain_loops_over_the_contacts(quick: Build, seed: int) -> None:
    rows = random_rows(Random(seed))
    connection = quick(rows, latest_delivery_date="2025-09-01")
    for window in WINDOWS:
        columns = "account_id, issue_family, first_contact_key, contact_count, is_first_contact_resolved"
        found = sorted(chains(connection, columns, window), key=str)
        assert found == recomputed(rows, window), window
    assert connection.execute("select max(contact_count) from marts.fct_issue_chain").fetchone() > (5,)


def test_time_that_passes_changes_no_row_of_the_marts_and_what_is_mature_is_counted_later(
    figures: Build, fixture: duckdb.DuckDBPyConnection
) -> None:
    tables = ("fct_issue_chain", "fct_self_service_session", "fct_interaction", "fct_ticket")
    early = fixture
    later = figures({**FIXTURE, "orders": [*FIXTURE["orders"], {**clock(70), "order_id": "LATER"}]}, latest_delivery_date="2025-05-10")
    for table in tables:
        rows = f"select * from marts.{table} order by all"
        assert early.execute(rows).fetchall() == later.execute(rows).fetchall(), table
    assert metric(early, "fcr_window_30")[3] == "not_mature"
    assert metric(later, "fcr_window_30")[:2] == (2, 5)  # c4 and c5; c1, c2 and c3 failed
    assert metric(later, "issue_chains_immature")[0] == 0
