"""Rows of agents, their time, contacts, tickets and trainings, and the company that the tests of the workforce share."""

from __future__ import annotations

from datetime import date
from typing import Any

Row = dict[str, Any]


def agent(name: str, team: str = "H", start: str = "2025-01-01", **more: Any) -> Row:
    return {
        "agent_id": name, "valid_from_date": start, "team_id": team, "department_id": f"D{team}", "site_id": "north",
        "hire_date": "2025-01-01", "hourly_cost_amount": "15.00", "currency_code": "EUR",
    } | more  # fmt: skip


def time(name: str, day: str | date, seconds: int, state: str = "available", **more: Any) -> Row:
    return {"agent_id": name, "work_date": str(day), "agent_state": state, "state_seconds": seconds} | more


def call(name: str, by: str, seconds: int, ticket: str | None = None, **more: Any) -> Row:
    return {
        "interaction_id": name, "agent_id": by, "ticket_id": ticket, "channel": "phone", "started_at": "2025-05-20T10:00:00+00",
        "outcome": "answered", "talk_seconds": seconds,
    } | more  # fmt: skip


def ticket(name: str, family: str, **more: Any) -> Row:
    return {
        "ticket_id": name, "created_at": "2025-05-20T09:00:00+00", "ticket_state": "solved", "channel": "phone", "issue_family": family,
        "last_solved_at": "2025-05-20T12:00:00+00", "assignee_id": "M", "account_id": "a",
    } | more  # fmt: skip


def training(name: str, at: str, hours: str = "2.00", module: str = "m", **more: Any) -> Row:
    return {
        "agent_id": name, "module_id": module, "started_at": f"{at}T10:00:00+00", "training_topic": "product_function",
        "training_format": "classroom", "training_hours": hours,
    } | more  # fmt: skip


def working_days(year: int, month: int, count: int) -> list[date]:
    return [date(year, month, day) for day in range(1, count + 1)]


COMPANY: dict[str, list[Row]] = {
    # Three leave on day 30, 60 and 91 of a fiscal quarter of 91 days.
    "agents": [
        *(agent(f"H{n}") for n in range(17)),
        agent("L1", separation_date="2025-01-30", separation_kind="voluntary"),
        agent("L2", separation_date="2025-03-01", separation_kind="involuntary"),
        agent("L3", separation_date="2025-04-01", separation_kind="voluntary", valid_to_date="2025-04-02"),
        # A new agent works 160 hours in each of six months.
        agent("NEW", "R", floor_date="2025-01-01"),
        # Moves from A to B on 16 May; goes to sales at the end of the month, which is no separation.
        agent("M", "A", "2024-01-01", hire_date="2024-01-01"),
        agent("M", "B", "2025-05-16", hire_date="2024-01-01", separation_date="2025-05-31", separation_kind="transfer"),
        # In class until 19 June; leaves before the first day with customers.
        agent("T", "C", "2025-06-01", hire_date="2025-06-01", floor_date="2025-06-20", separation_date="2025-06-10",
              separation_kind="voluntary"),
        # The last day is named only by a row that begins after it.
        agent("W", "W"), agent("W", "X", "2025-05-20", separation_date="2025-05-10", separation_kind="involuntary"),
        agent("GONE", "C", is_deleted=True),
    ],
    "agent_time": [
        *(time("NEW", day, 28_800) for month in range(1, 7) for day in working_days(2025, month, 20)),
        # Before and after the move: 8 hours, of which 5 handling, 2 waiting and 1 of break; a day of absence.
        *(time("M", day, hours * 3_600, state, overtime_seconds=1_800 if state == "talk" else 0)
          for day in ("2025-05-15", "2025-05-20") for state, hours in (("talk", 5), ("available", 2), ("break", 1))),
        time("M", "2025-05-21", 28_800, "absence"),
        time("M", "2025-05-22", 28_800, is_deleted=True),
        time("STRANGER", "2025-05-20", 3_600, "talk"),
    ],
    "interactions": [
        {"interaction_id": "END", "channel": "email", "started_at": "2025-06-30T10:00:00+00", "outcome": "answered"},
        # Easy contacts take 100 seconds and hard ones 300 on average; M has the hard ones and is as fast as the others.
        *(call(f"E{n}", "X", 100, "EASY") for n in range(40)),
        *(call(f"F{n}", "M", 300, "HARD") for n in range(30)),
        *(call(f"G{n}", "Y", 300, "HARD") for n in range(29)),
        call("LOST", "M", 17_999, "DELETED"),
    ],
    "tickets": [
        ticket("EASY", "access", assignee_id="X"), ticket("HARD", "logistics"), ticket("DELETED", "logistics", is_deleted=True),
        ticket("OLD", "access", ticket_state="merged", merged_into_ticket_id="HARD"),
        *(ticket(f"S{n}", "access", handle_seconds=1) for n in range(31)),
    ],
    "ledger_actuals": [
        {"journal_id": "J", "line_number": 1, "legal_entity": "E", "cost_centre": "C", "fiscal_period": "2025-05",
         "posted_at": "2025-05-28T10:00:00+00", "gl_account": "G", "cost_category": "people", "pool_id": "p", "ledger_amount": "640.00",
         "currency_code": "EUR"},
    ],
    "training_events": [
        # A year as one event: 8 of 10 hours within 30 days; and one with a month in each.
        training("H1", "2025-01-10", "4.00", certification="c", certification_valid_to_date="2025-05-30"),
        training("H1", "2025-02-08", "4.00", "n"), training("H1", "2025-05-01", "2.00", "o", is_deleted=False),
        *(training("H2", f"2025-0{month}-15", certification="c") for month in range(1, 7)),
        training("H3", "2025-01-31", "8.00", "a", training_format="role_play", is_interactive=False, module_version_date="2024-01-31",
                 is_customised=True, customised_for="role,product,customer_issue", training_score="45", scale_max="60"),
        training("H3", "2025-03-03", "2.00", "b", training_format="e_learning", module_version_date="2024-03-03",
                 is_customised=True, training_score="7", scale_max="5"),
        training("H4", "2025-03-01", "1.00", "x", training_topic="technical_diagnosis"),
    ],
    "fiscal_periods": [{"fiscal_period": "Q", "fiscal_year": "FY", "start_date": "2025-01-01", "end_date": "2025-04-01",
                        "calendar_kind": "calendar"}],
}  # fmt: skip
