"""Agents by day, team and month: time, turnover, ramp, training, scorecards. Breaks: a team's figures that are not its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import duckdb
import pytest

from tests.warehouse.workforce_rows import COMPANY, Row, agent, call, ticket, time, training

Build = Callable[..., duckdb.DuckDBPyConnection]
FIRST, LAST = date(2025, 1, 1), date(2025, 6, 30)
STATES = ("talk", "hold", "wrap", "chat", "case_work", "available", "break", "training", "meeting", "absence")
QUARTER, MAY, JUNE = date(2025, 1, 1), date(2025, 5, 1), date(2025, 6, 1)


@pytest.fixture(scope="module")
def company(figures: Build) -> duckdb.DuckDBPyConnection:
    return figures(COMPANY, latest_delivery_date="2025-07-01")


@pytest.fixture(scope="module")
def figure(company: duckdb.DuckDBPyConnection) -> Callable[..., Any]:
    """Value, numerator and denominator of a metric, or its reason."""

    def find(metric: str, month: date = MAY, member: str = "all", cut: str = "team") -> Any:
        sql = "select value, num, den, null_reason from reporting.mart_metric where metric_id = ? and period_month = ? and member = ?"
        rows = company.execute(sql + " and cut = ?", [metric, month, member, "all" if member == "all" else cut]).fetchall()
        assert len(rows) == 1, (metric, month, member, rows)
        value, num, den, reason = rows[0]
        return reason if value is None else (value if den is None else (value, float(num), float(den)))

    return find


@pytest.mark.spec("A18c")
def test_attrition_is_by_days_and_annualised_by_days(figure: Callable[..., Any], company: duckdb.DuckDBPyConnection) -> None:
    assert figure("average_headcount", QUARTER, "H") == pytest.approx(18.989011, abs=5e-7)
    assert figure("agent_attrition_period_rate", QUARTER, "H")[0] == pytest.approx(0.157986, abs=5e-7)
    assert figure("agent_attrition_rate", QUARTER, "H") == (pytest.approx(0.633681, abs=5e-7), 1095.0, 1728.0)
    kinds = "voluntary_count, involuntary_count, transfer_count, separations_count"
    rows = company.execute(f"select {kinds} from marts.mart_workforce_turnover where team_id = 'H' and period_month = ?", [QUARTER])
    assert rows.fetchall() == [(2, 1, 0, 3)]


@pytest.mark.spec("A18c")
def test_the_ramp_of_a_new_agent_is_a_memo_of_payroll_and_in_no_cost(company: duckdb.DuckDBPyConnection) -> None:
    """15 an hour, 160 hours a month, 40 to 90 % in six months: 5,040.00; the cost of all months stays what the ledger holds."""
    sql = "select team_id, sum(ramp_cost_memo_amount) from marts.mart_workforce_turnover where team_id in ('R', 'B') group by 1"
    assert dict(company.execute(sql).fetchall()) == {"R": Decimal("5040.00"), "B": Decimal("0.00")}
    cost = "select sum(cost_amount) from marts.fct_cost_line where is_counted"
    assert company.execute(cost).fetchall() == [(Decimal("640.00"),)]
    assert company.execute("select sum(value) from reporting.mart_metric where metric_id = 'service_cost' and cut = 'all' and "
                           "period_kind = 'month'").fetchall() == [(640.0,)]  # fmt: skip


def test_transfers_moves_and_trainees_are_apart_from_separations(figure: Callable[..., Any], company: duckdb.DuckDBPyConnection) -> None:
    columns = (
        "team_id, agent_days, trainee_days, separations_count, transfer_count, trainee_separations_count, moves_in_count, moves_out_count"
    )
    rows = company.execute(
        f"select {columns} from marts.mart_workforce_turnover where team_id in ('A', 'B', 'C', 'W', 'X') and period_month >= ? "
        "order by 1, 2",
        [MAY],
    ).fetchall()
    assert rows == [
        ("A", 15, 0, 0, 0, 0, 0, 1), ("B", 16, 0, 0, 1, 0, 1, 0), ("C", 0, 10, 0, 0, 1, 0, 0), ("W", 10, 0, 1, 0, 0, 0, 0),
    ]  # fmt: skip
    assert figure("agent_attrition_rate", MAY, "B")[0] == 0
    assert figure("agent_attrition_rate", JUNE, "C") == "zero_denominator"


def test_an_agent_who_moves_is_split_by_the_day(company: duckdb.DuckDBPyConnection) -> None:
    rows = company.execute(
        "select work_date, team_id, paid_seconds, handling_seconds, worked_seconds from marts.fct_agent_day where agent_id = 'M' order by 1"
    ).fetchall()
    assert rows == [
        (date(2025, 5, 15), "A", 28_800, 18_000, 28_800),
        (date(2025, 5, 20), "B", 28_800, 18_000, 28_800),
        (date(2025, 5, 21), "B", 28_800, 0, 0),
    ]


def test_shares_of_paid_time(figure: Callable[..., Any]) -> None:
    assert figure("utilisation_rate", MAY, "A") == (0.625, 18_000, 28_800)
    assert figure("occupancy_rate", MAY, "B")[0] == pytest.approx(5 / 7)
    assert figure("shrinkage_rate", MAY, "B") == (pytest.approx(9 / 16), 32_400, 57_600)
    assert figure("absence_rate", MAY, "B")[0] == 0.5
    assert figure("overtime_share", MAY, "B")[0] == 0.0625
    assert figure("utilisation_rate", MAY, "none")[0] == 1  # logged by nobody that the agents know
    assert figure("occupancy_rate", MAY, "DA", "department") == figure("occupancy_rate", MAY, "A")
    assert figure("utilisation_rate", date(2025, 4, 2), "R")[0] == 0


@pytest.mark.spec("C32")
def test_cost_of_a_shift_is_cost_of_a_resolution_times_resolutions_of_a_shift(figure: Callable[..., Any]) -> None:
    """M resolved 32 tickets in two shifts; those of X, who logged no time, have no shift to be divided by."""
    assert figure("resolutions_per_agent_shift", MAY, "B") == (32, 32, 1)  # one shift is in team A
    value, resolutions, shifts = figure("resolutions_per_agent_shift")
    assert resolutions == 32
    assert 640 / resolutions == pytest.approx((640 / shifts) / value)


def test_time_of_calls_is_compared_with_logged_time(company: duckdb.DuckDBPyConnection, figure: Callable[..., Any]) -> None:
    """M logged 18,000 seconds of talk on 20 May and had calls of 9,000 and 17,999: also that of a ticket that was deleted."""
    sql = "select call_seconds, call_difference_seconds, contacts_handled_count from marts.fct_agent_day where work_date = '2025-05-20' "
    assert company.execute(sql + "and agent_id = 'M'").fetchall() == [(26_999, -8_999, 31)]
    assert figure("agent_call_difference_seconds", MAY, "B") == -8_999


def test_a_scorecard_expects_what_the_mix_of_contacts_takes(company: duckdb.DuckDBPyConnection) -> None:
    rows = company.execute(
        "select agent_id, contacts_timed_count, mix_adjusted_handle_ratio, handle_null_reason, resolutions_per_shift_ratio, "
        "resolutions_null_reason from reporting.agent_month where agent_id in ('X', 'Y', 'M') and period_month = ? order by 1", [MAY]
    ).fetchall()  # fmt: skip
    m, x, y = rows
    assert x == ("X", 40, 1.0, None, None, "n_below_30")
    assert y[:4] == ("Y", 29, None, "n_below_30")
    assert (*m[:2], *m[3:]) == ("M", 31, None, 16.0, None)
    assert m[2] == pytest.approx((30 * 300 + 17_999) / (31 * 594.983))  # the mean of 59 times 300 and 17,999


@pytest.mark.spec("C74")
def test_hours_of_topics_add_up_to_all_hours(figure: Callable[..., Any]) -> None:
    topics = [figure("training_hours", QUARTER, topic, "training_topic") for topic in ("product_function", "technical_diagnosis")]
    assert topics == [4 + 4 + 2 * 3 + 10, 1]
    assert figure("training_hours", QUARTER) == sum(topics)


@pytest.mark.spec("E34")
@pytest.mark.spec("E37")
def test_format_fit_and_age_of_modules_at_delivery(figure: Callable[..., Any]) -> None:
    """A module of 31 January 2024 is 366 days old on 31 January 2025 (a leap year); the other one is 365 days old. Neither ages later."""
    assert figure("outdated_module_share", QUARTER) == (0.8, 8, 10)
    assert figure("interactive_hours_share", QUARTER) == (pytest.approx(8 / 25), 8, 25)
    assert figure("role_play_hours", QUARTER) == 8
    assert figure("customised_hours_share", QUARTER)[1:] == (10, 25)
    assert figure("knowledge_test_score", QUARTER) == (0.75, 0.75, 1)  # 7 of 5 is no result


@pytest.mark.spec("E35")
def test_hours_by_purpose_add_up_to_customised_hours(company: duckdb.DuckDBPyConnection) -> None:
    purposes = ("demographics", "role", "product", "customer_issue", "unnamed_purpose")
    columns = ", ".join(f"{purpose}_hours" for purpose in purposes)
    rows = company.execute(f"select {columns} from marts.fct_training where is_customised order by training_hours desc").fetchall()
    assert rows == [tuple(map(Decimal, ("0", "2.67", "2.67", "2.66", "0"))), tuple(map(Decimal, ("0", "0", "0", "0", "2")))]


@pytest.mark.spec("E38")
def test_a_year_in_one_month_is_an_event(company: duckdb.DuckDBPyConnection) -> None:
    found = company.execute(
        "select agent_id, bool_and(is_event_like), bool_or(is_event_like) from marts.fct_training group by 1"
    ).fetchall()
    # H1: 8 of 10 hours from 10 January to 8 February, 30 days with both ends. H3: 8 of 10 hours on one day.
    assert {name: (every, some) for name, every, some in found} == {
        "H1": (True, True), "H2": (False, False), "H3": (True, True), "H4": (True, True)
    }  # fmt: skip


@pytest.mark.spec("C76")
@pytest.mark.spec("E36")
@pytest.mark.spec("E40")
def test_cadence_gaps_and_certificates_of_agents(company: duckdb.DuckDBPyConnection, figure: Callable[..., Any]) -> None:
    columns = "training_months_count, employed_months_count, since_training_days, training_gap_max_days, is_certified"
    sql = f"select agent_id, {columns} from reporting.agent_month where period_month = ? and agent_id in ('H1', 'H2', 'H5', 'H4')"
    rows = {name: tuple(found) for name, *found in company.execute(sql, [JUNE]).fetchall()}
    # Months are the quarter, April, May and June. H5 never had any: the first day employed begins the gap.
    assert rows["H1"] == (2, 4, 60, 82, False)  # its certificate ended on 30 May; 8 February to 1 May
    assert rows["H2"] == (4, 4, 15, 31, True)
    assert rows["H5"] == (0, 4, 180, 180, False)
    assert rows["H4"] == (1, 4, 121, 121, False)
    assert figure("training_cadence", MAY, "H") == (pytest.approx(2 / 17), 2, 17)
    assert figure("certified_agent_share", date(2025, 4, 2), "H") == (pytest.approx(2 / 17), 2, 17)
    assert figure("certified_agent_share", JUNE, "H") == (pytest.approx(1 / 17), 1, 17)
    assert figure("training_gap_max_days", JUNE, "H") == 180


@pytest.mark.spec("E36")
def test_one_training_a_year_is_one_month_of_twelve(figures: Build) -> None:
    company = figures(
        {"agents": [agent("A")], "training_events": [training("A", "2025-03-10")],
         "tickets": [ticket("T", "x", created_at="2025-01-01T09:00:00+00", last_solved_at="2025-12-31T09:00:00+00"),
                     ticket("U", "x", created_at="2025-12-31T09:00:00+00", last_solved_at="2025-12-31T09:00:00+00")]},
        latest_delivery_date="2026-01-01",
    )  # fmt: skip
    rows = company.execute("select sum(num), sum(den) from reporting.mart_metric where metric_id = 'training_cadence' and cut = 'all'")
    assert rows.fetchall() == [(1, 12)]
    counts = "select training_months_count, employed_months_count from reporting.agent_month"
    last = company.execute(f"{counts} where agent_id = 'A' and period_month = '2025-12-01'")
    assert last.fetchall() == [(1, 12)]


@pytest.mark.parametrize(
    ("absent", "metrics"),
    [
        ("agent_time", "utilisation_rate occupancy_rate shrinkage_rate resolutions_per_agent_shift absence_rate ramp_cost_memo"),
        ("agents", "average_headcount agent_attrition_rate certified_agent_share training_cadence"),
        ("training_events", "training_hours interactive_hours_share certified_agent_share training_cadence days_since_training"),
    ],
)
def test_without_a_feed_its_figures_are_unknown_and_never_0(figures: Build, absent: str, metrics: str) -> None:
    company = figures({feed: rows for feed, rows in COMPANY.items() if feed != absent}, latest_delivery_date="2025-07-01")
    for metric in metrics.split():
        found = company.execute("select distinct value, null_reason from reporting.mart_metric where metric_id = ?", [metric]).fetchall()
        assert found in ([(None, "source_absent")], []), metric


def test_days_and_headcount_of_random_agents_are_those_of_a_walk_day_by_day(quick: Build) -> None:
    """Rows overlap, end before they begin and leave gaps: Python walks each day and shares no code with the SQL."""
    random, day = Random(5), lambda: (FIRST + timedelta(days=random.randrange(150))).isoformat()
    agents = {}
    for _ in range(60):
        row = agent(f"a{random.randrange(12)}", random.choice("XYZ"), day(), hire_date=day() if random.random() < 0.3 else "2025-01-01")
        for column in ("valid_to_date", "separation_date", "floor_date"):
            row[column] = day() if random.random() < 0.4 else None
        agents[row["agent_id"], row["valid_from_date"]] = row
    times = {
        (row["agent_id"], row["work_date"], row["agent_state"]): row
        for row in (time(f"a{random.randrange(14)}", day(), random.randrange(9_000), random.choice(STATES)) for _ in range(900))
    }
    rows = {
        "agents": [*agents.values()],
        "agent_time": [*times.values()],
        "interactions": [call("END", "b", 1, started_at="2025-06-30T10:00:00+00")],
    }
    company = quick(rows, latest_delivery_date="2025-07-01")

    def of_day(name: str, at: str) -> Row | None:
        earlier = [row for row in agents.values() if row["agent_id"] == name and row["valid_from_date"] <= at]
        row = max(earlier, key=lambda one: one["valid_from_date"], default=None)
        return row if row and (row["valid_to_date"] is None or at < row["valid_to_date"]) else None

    seconds: dict[tuple[str, str | None], int] = defaultdict(int)
    for (name, at, _), row in times.items():
        held = of_day(name, at)
        seconds[at[:7], held and held["team_id"]] += row["state_seconds"]
    found = company.execute(
        "select strftime(period_month, '%Y-%m'), team_id, sum(paid_seconds)::bigint from marts.fct_agent_day "
        "where paid_seconds is not null group by all"
    ).fetchall()
    assert {(month, team): paid for month, team, paid in found} == dict(seconds)

    def last_day(held: Row) -> str | None:
        own = sorted((row for row in agents.values() if row["agent_id"] == held["agent_id"]), key=lambda one: one["valid_from_date"])
        after = own[own.index(held) + 1 :]
        named = [
            row["separation_date"]
            for row in after
            if held["valid_from_date"] <= (row["separation_date"] or "") < after[0]["valid_from_date"]
        ]
        return named[-1] if named else held["separation_date"]

    heads: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for number in range((LAST - FIRST).days + 1):
        at = (FIRST + timedelta(days=number)).isoformat()
        for name in {row["agent_id"] for row in agents.values()}:
            held = of_day(name, at)
            if held and held["hire_date"] <= at and at <= (last_day(held) or at):
                heads[at[:7], held["team_id"]][at < (held["floor_date"] or held["hire_date"])] += 1
    found = company.execute(
        "select strftime(period_month, '%Y-%m'), team_id, sum(agent_days)::int, sum(trainee_days)::int from marts.mart_workforce_turnover "
        "where agent_days + trainee_days > 0 group by all"
    ).fetchall()
    assert {(month, team): [days, trainees] for month, team, days, trainees in found} == dict(heads)
