"""Time-driven cost of people: used and unused capacity. Breaks: unused capacity that is charged to customers, or cost that is lost."""

from __future__ import annotations

import runpy
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest

Build = Callable[..., duckdb.DuckDBPyConnection]
Row = dict[str, Any]
ledger = runpy.run_path(str(Path(__file__).with_name("test_cost_of_a_month.py")))["ledger"]
QUARTER = date(2025, 1, 1)
ACTIVITIES = {"order": (40, 9_800, 450_000), "complaint": (220, 280, 100_000), "credit": (250, 500, 150_000)}
"""Minutes each, quantity and practical minutes of the team that does nothing else (Kaplan and Anderson, 2004: 700,000 in all)."""


def agent(name: str, team: str | None, department: str | None = None) -> Row:
    return {"agent_id": name, "valid_from_date": "2025-01-01", "team_id": team, "department_id": department, "hire_date": "2025-01-01"}


def logged(name: str, minutes: dict[str, int]) -> Iterator[Row]:
    """Whole days from 1 January until the minutes of each state are logged."""
    day = QUARTER
    for state, left in minutes.items():
        while left > 0:
            yield {"agent_id": name, "work_date": str(day), "agent_state": state, "state_seconds": min(left, 1_440) * 60}
            day, left = (day + timedelta(days=1) if day < date(2025, 3, 31) else QUARTER), left - 1_440


def team_time(team: str) -> tuple[list[Row], list[Row]]:
    minutes, quantity, practical = ACTIVITIES[team]
    agents = [f"{team}{number}" for number in range(6)]
    used, rows = minutes * quantity, []
    for number, name in enumerate(agents):
        shares = {state: part // 6 + (part % 6 > number) for state, part in {"case_work": used, "available": practical - used}.items()}
        rows += [*logged(name, shares)]
        rows.append({"agent_id": name, "work_date": "2025-03-31", "agent_state": "training", "state_seconds": 7_200})
    return [agent(name, team, "service") for name in agents], rows


def kaplan() -> dict[str, list[Row]]:
    made = [team_time(team) for team in ACTIVITIES]
    return {
        "agents": [row for agents, _ in made for row in agents],
        "agent_time": [row for _, times in made for row in times],
        "interactions": [{"interaction_id": "END", "channel": "email", "started_at": "2025-03-31T10:00:00+00", "outcome": "answered"}],
        "fiscal_periods": [
            {"fiscal_period": "Q", "fiscal_year": "FY", "start_date": "2025-01-01", "end_date": "2025-03-31", "calendar_kind": "calendar"}
        ],
        "ledger_actuals": [
            ledger("J1", "600000.00", "Q"),
            ledger("J2", "-40000.00", "Q"),
            ledger("J3", "999.00", "Q", cost_category="it"),
            ledger("J4", "700.00", "Q", department_id="idle"),
        ],
    }


@pytest.fixture(scope="module")
def company(figures: Build) -> duckdb.DuckDBPyConnection:
    return figures(kaplan(), latest_delivery_date="2025-04-01")


@pytest.fixture(scope="module")
def figure(company: duckdb.DuckDBPyConnection) -> Callable[..., Any]:
    def find(metric: str, member: str = "all") -> Any:
        sql = "select value, null_reason from reporting.mart_metric where metric_id = ? and member = ? and cut = ?"
        ((value, reason),) = company.execute(sql, [metric, member, "all" if member == "all" else "team"]).fetchall()
        return value if reason is None else reason

    return find


@pytest.mark.spec("C13")
def test_the_published_example_comes_out_to_the_cent(company: duckdb.DuckDBPyConnection, figure: Callable[..., Any]) -> None:
    """560,000 for 700,000 minutes are 0.80 a minute: 462,880 used (82.66 %), 97,120 not; training is no practical capacity."""
    rows = company.execute(
        "select team_id, used_seconds / 60, used_amount, used_hour_cost_amount / 60, capacity_source from marts.mart_capacity_cost "
        "where team_id is not null order by 1"
    ).fetchall()
    rate = pytest.approx(0.8)
    assert rows == [
        ("complaint", 61_600, Decimal("49280.00"), rate, "agent_time"),
        ("credit", 125_000, Decimal("100000.00"), rate, "agent_time"),
        ("order", 392_000, Decimal("313600.00"), rate, "agent_time"),
    ]
    assert (figure("used_capacity_cost"), figure("unused_capacity_cost")) == (462_880.0, 97_120.0)
    assert figure("used_capacity_share") == pytest.approx(0.8266, abs=5e-5)
    assert figure("unused_capacity_cost", "order") == (450_000 - 392_000) * 0.8
    practical, paid = 700_000, 700_000 + 18 * 120
    assert figure("occupancy_rate") == pytest.approx(578_600 / practical)
    assert figure("utilisation_rate") == pytest.approx(578_600 / paid)


def test_cost_whose_capacity_nobody_knows_is_apart_and_not_lost(company: duckdb.DuckDBPyConnection, figure: Callable[..., Any]) -> None:
    rows = company.execute(
        "select department_id, supplied_amount, used_amount, null_reason from marts.mart_capacity_cost where team_id is null"
    ).fetchall()
    assert rows == [("idle", Decimal("700.00"), None, "zero_denominator")]
    assert figure("people_capacity_cost") - figure("measured_capacity_cost") == 700
    assert figure("unused_capacity_cost", "none") == "zero_denominator"


def test_full_absorption_stays_what_it_was(company: duckdb.DuckDBPyConnection) -> None:
    sums = company.execute("select sum(ledger_amount), sum(unused_amount), sum(difference_amount) from marts.mart_cost_reconciliation")
    assert sums.fetchall() == [(Decimal("561699.00"), Decimal("0.00"), Decimal("0.00"))]


def test_without_logged_time_nothing_is_used_or_unused(figures: Build) -> None:
    company = figures(kaplan() | {"agent_time": []}, latest_delivery_date="2025-04-01")
    rows = company.execute("select distinct used_amount, unused_amount, null_reason from marts.mart_capacity_cost").fetchall()
    assert rows == [(None, None, "source_absent")]
    ids = ("people_capacity_cost", "measured_capacity_cost", "unused_capacity_cost", "used_capacity_share")
    found = company.execute(
        f"select metric_id, value, null_reason from reporting.mart_metric where metric_id in {ids} and cut = 'all' order by 1"
    ).fetchall()
    assert found == [
        ("measured_capacity_cost", None, "source_absent"), ("people_capacity_cost", 560_700.0, None),
        ("unused_capacity_cost", None, "source_absent"), ("used_capacity_share", None, "source_absent"),
    ]  # fmt: skip


STATES = ("talk", "chat", "available", "break", "absence")


def random_company(random: Random) -> dict[str, list[Row]]:
    agents = [agent(f"A{n}", random.choice(["t1", "t2", None]), random.choice(["D1", "D2", None])) for n in range(9)]
    times = {
        (f"A{random.randrange(11)}", str(date(2025, random.randrange(1, 4), random.randrange(1, 28))), random.choice(STATES)): row
        for row in ({"state_seconds": random.randrange(0, 17_000)} for _ in range(60))
    }
    rows = [dict(zip(("agent_id", "work_date", "agent_state"), key, strict=True)) | row for key, row in times.items()]
    lines = [
        ledger(
            f"J{n}", f"{random.randrange(-90_000, 900_000) / 100:.2f}", f"2025-0{random.randrange(1, 5)}",
            legal_entity=random.choice(["E1", "E2"]), pool_id=random.choice("pq"), department_id=random.choice(["D1", "D2", None, None]),
            team_id=random.choice(["t1", "t3", None, None]), cost_category=random.choice(["people", "people", "it"]),
            practical_capacity_minutes=random.choice([None, None, None, 500]),
        )
        for n in range(40)
    ]  # fmt: skip
    end = {"interaction_id": "END", "channel": "email", "started_at": "2025-04-30T10:00:00+00", "outcome": "answered"}
    return {"agents": agents, "agent_time": rows, "ledger_actuals": lines, "interactions": [end]}


def half_up(value: Fraction) -> int:
    return floor(abs(value) + Fraction(1, 2)) * (1 if value >= 0 else -1)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_pools_tie_to_the_books_and_follow_the_rate(
    quick: Build, hamilton: Callable[[int, list[int]], list[int]], seed: int
) -> None:
    """Python walks over lines and teams one by one; it shares no code with the SQL."""
    made = random_company(Random(seed))
    of = {row["agent_id"]: (row["department_id"] or "", row["team_id"] or "") for row in made["agents"]}
    seconds: dict[str, dict[tuple[str, str], list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for row in made["agent_time"]:
        cell = seconds[row["work_date"][:7]][of.get(row["agent_id"], ("", ""))]
        cell[0] += row["state_seconds"] * (row["agent_state"] in ("talk", "chat", "available"))
        cell[1] += row["state_seconds"] * (row["agent_state"] in ("talk", "chat"))
    pools: dict[tuple[str, ...], list[int]] = defaultdict(lambda: [0, 0])
    for row in made["ledger_actuals"]:
        if row["cost_category"] == "people":
            cents = int(Decimal(row["ledger_amount"]) * 100)
            scope = (row["fiscal_period"], row["legal_entity"], row["pool_id"], row["department_id"] or "", row["team_id"] or "")
            pools[scope][0] += cents
            pools[scope][1] += (row["practical_capacity_minutes"] or 0) * 60 * (1 if cents > 0 else -1 if cents < 0 else 0)
    expected: dict[tuple[str, ...], list[int | None]] = defaultdict(lambda: [0, 0])
    for (month, entity, pool, department, team), (amount, stated) in pools.items():
        served = [
            key
            for key in sorted(seconds[month], key=lambda key: "|".join(key))
            if (key[1] == team if team else not department or key[0] == department) and seconds[month][key][0] > 0
        ]
        if not served:
            cell = expected[month, entity, pool, department, team]
            expected[month, entity, pool, department, team] = [(cell[0] or 0) + amount, None]
            continue
        practical = [seconds[month][key][0] for key in served]
        capacity = stated if stated > 0 else sum(practical)
        for key, weight, share in zip(served, practical, hamilton(amount, practical), strict=True):
            used = half_up(Fraction(share * seconds[month][key][1] * sum(practical), weight * capacity))
            supplied, known = expected[month, entity, pool, *key]
            expected[month, entity, pool, *key] = [(supplied or 0) + share, None if known is None else known + used]
    warehouse = quick(made, latest_delivery_date="2025-04-30")
    found = warehouse.execute(
        "select strftime(period_month, '%Y-%m'), legal_entity, pool_id, coalesce(department_id, ''), coalesce(team_id, ''), "
        "supplied_amount * 100, used_amount * 100, unused_amount * 100 from marts.mart_capacity_cost"
    ).fetchall()
    assert {tuple(row[:5]): [row[5], row[6]] for row in found} == expected
    assert all(unused == supplied - used for *_, supplied, used, unused in found if used is not None)
    assert sum(supplied for *_, supplied, _, _ in found) == sum(amount for amount, _ in pools.values())
    assert len(found) > 20
    assert any(used is None for *_, used, _ in found)
