"""Reports and metrics of ticket clocks. Breaks: a rate over tickets that cannot tell, a matrix or a backlog that does not add up."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

HERE = Path(__file__)
HISTORY = runpy.run_path(str(HERE.with_name("desk_history.py")))
CLOCKS = runpy.run_path(str(HERE.with_name("test_ticket_clocks.py")))
Build = Callable[..., duckdb.DuckDBPyConnection]
Row = dict[str, Any]
MARCH, NEXT = "2025-03-10 ", "2025-03-11 "


def desk_rows() -> dict[str, list[Row]]:
    ticket, events, rows = CLOCKS["ticket"], CLOCKS["events"], {**CLOCKS["DESK"]}
    rows["accounts"] = [*rows["accounts"], {"account_id": "b"}]
    rows["tickets"] = [
        *rows["tickets"],
        ticket("LATER", MARCH + "10:00:00"),
        ticket("OTHER", MARCH + "10:00:00", account_id="b"),
        ticket("LAST", NEXT + "10:00:00", account_id="b"),
    ]
    rows["ticket_events"] = [
        *rows["ticket_events"],
        *events(
            "LATER",
            (MARCH + "10:00:00", "created", {"actor_role": "customer"}),
            (MARCH + "10:10:00", "history_viewed", {}),
            (MARCH + "10:20:00", "info_rerequested", {}),
        ),
        *events("OTHER", (MARCH + "10:00:00", "created", {"actor_role": "customer"}), (MARCH + "10:20:00", "info_rerequested", {})),
        # The target of this one runs out on the last day of the data, which is not over yet.
        *events("LAST", (NEXT + "10:00:00", "created", {"actor_role": "customer"})),
    ]
    rows["interactions"] = [*rows["interactions"], {"interaction_id": "I3", "channel": "phone", "started_at": NEXT + "10:00:00+00"}]
    return rows


@pytest.fixture(scope="module")
def desk(figures: Build) -> duckdb.DuckDBPyConnection:
    return figures(desk_rows())


def figure(connection: duckdb.DuckDBPyConnection, metric: str, month: str) -> Any:
    sql = f"select num, den, null_reason from reporting.mart_metric where metric_id = '{metric}' and cut = 'all'"
    sql += f" and period_month = date '2025-{month}-01'"
    return connection.execute(sql).fetchone()


@pytest.mark.spec("B19")
def test_tickets_of_customers_without_a_ticket_before_are_in_no_share_of_viewed_histories(desk: duckdb.DuckDBPyConnection) -> None:
    """In March only LATER and LAST come from an account that had a ticket before; OTHER is the first one of b."""
    assert figure(desk, "history_viewed_rate", "03") == (1, 2, None)


def test_information_that_was_asked_for_again_counts_where_it_was_given_before(desk: duckdb.DuckDBPyConnection) -> None:
    assert figure(desk, "repeat_explanation_rate", "03") == (1, 2, None)


def test_targets_not_yet_due_are_in_no_share_and_overdue_ones_are(desk: duckdb.DuckDBPyConnection) -> None:
    """January: CHAIN was answered too late, DUE and NOTE ran out without a reply. March: LATER and OTHER ran out, LAST is not yet due."""
    sql = "select sum(reply_met_count), sum(reply_missed_count), sum(reply_due_count), sum(reply_active_count)"
    sql += " from reporting.ticket_month where period_month = '2025-0{}-01'"
    january = desk.execute(sql.format(1)).fetchone()
    states = desk.execute("""
        select count(*) filter (first_reply_target_state = 'met'), count(*) filter (first_reply_target_state in ('breached', 'running'))
        from marts.mart_ticket_clock where is_counted and period_month = '2025-01-01'""").fetchone()
    assert january is not None
    assert states is not None
    assert (january[0], january[1], january[2], january[3]) == (states[0], states[1], states[0] + states[1], 0)
    assert figure(desk, "reply_target_rate", "01") == (january[0], january[2], None)
    assert desk.execute(sql.format(3)).fetchone() == (0, 2, 2, 1)


@pytest.mark.spec("D41")
def test_tickets_of_several_departments_count_as_unresolved_once_they_are_30_days_old(desk: duckdb.DuckDBPyConnection) -> None:
    """HAND was solved on the first day; CHAIN was closed and is open again. Neither was solved 30 days on where it is open."""
    assert figure(desk, "multi_department_unresolved_rate", "01") == (1, 2, None)
    assert figure(desk, "multi_department_unresolved_rate", "03") == (0, 0, "zero_denominator")


@pytest.mark.spec("D07")
def test_touches_and_transfers_per_resolution_are_ratios_of_sums(desk: duckdb.DuckDBPyConnection) -> None:
    """Solved in January: HAND with two touches and no transfer, CALL with one of each, PAUSED without any known touch."""
    assert figure(desk, "touches_per_resolution", "01") == (3, 2, None)
    assert figure(desk, "transfers_per_resolution", "01") == (1, 2, None)
    assert figure(desk, "one_touch_rate", "01") == (1, 2, None)


@pytest.mark.spec("C09", "D06", "D11")
def test_means_are_total_time_by_tickets_that_have_the_clock(desk: duckdb.DuckDBPyConnection) -> None:
    for metric, column, month in (
        ("first_reply_seconds", "first_reply_seconds", "period_month"),
        ("first_resolution_seconds", "first_resolution_seconds", "period_month"),
        ("cycle_seconds", "cycle_seconds", "final_solved_period_month"),
        ("cycle_business_seconds", "cycle_business_seconds", "final_solved_period_month"),
    ):
        expected = desk.execute(
            f"select sum({column}), count({column}) from marts.mart_ticket_clock where is_counted and {month} = '2025-01-01'"
        ).fetchone()
        assert figure(desk, metric, "01") == (*(expected or ()), None)


def test_without_tickets_of_several_departments_there_is_no_ping_pong_rate(desk: duckdb.DuckDBPyConnection) -> None:
    assert figure(desk, "ping_pong_rate", "01") == (1, 2, None)
    assert figure(desk, "ping_pong_rate", "03") == (0, 0, "zero_denominator")


@pytest.fixture(scope="module")
def generated(figures: Build) -> tuple[duckdb.DuckDBPyConnection, dict[str, list[Row]]]:
    rows = HISTORY["feeds"](11, 40)
    return figures(rows), rows


Generated = tuple[duckdb.DuckDBPyConnection, dict[str, list[Row]]]


@pytest.mark.spec("D38")
def test_rows_of_the_matrix_are_the_handoffs_out_and_in_less_out_is_the_net_stock(generated: Generated) -> None:
    connection, rows = generated
    moves: dict[str, list[str]] = {row["ticket_id"]: ["support"] for row in rows["tickets"]}
    for event in rows["ticket_events"]:
        if event["event_type"] == "department_change" and event["new_value"] != moves[event["ticket_id"]][-1]:
            moves[event["ticket_id"]].append(event["new_value"])
    matrix = connection.execute(
        "select from_department_id, to_department_id, sum(handoffs_count) from reporting.mart_silo_handoffs group by all"
    ).fetchall()
    for department in HISTORY["DEPARTMENTS"]:
        out = sum(count for one, _, count in matrix if one == department)
        into = sum(count for _, one, count in matrix if one == department)
        assert out == sum(path[:-1].count(department) for path in moves.values())
        assert into - out == sum((path[-1] == department) - (path[0] == department) for path in moves.values())
    assert sum(count for _, _, count in matrix) > 30


@pytest.mark.spec("D40")
def test_a_rate_of_lost_information_is_at_most_one(generated: Generated) -> None:
    connection, _ = generated
    sql = "select num, den from reporting.mart_metric where metric_id = 'information_loss_rate' and den > 0"
    rates = connection.execute(sql).fetchall()
    assert rates
    assert all(0 <= num <= den for num, den in rates)


@pytest.mark.spec("D06")
def test_half_of_the_tickets_take_no_longer_than_nine_of_ten(generated: Generated) -> None:
    connection, _ = generated
    assert connection.execute("select count(*) from reporting.ticket_clock_month where p50_seconds > p90_seconds").fetchall() == [(0,)]
    values = [value for (value,) in connection.execute(
        "select first_resolution_seconds from marts.mart_ticket_clock where first_resolution_seconds is not null order by 1"
    ).fetchall()]  # fmt: skip
    sql = """
        select tickets_count, p50_seconds, p90_seconds from reporting.ticket_clock_month
        where clock_kind = 'first_resolution' and period_month = '2025-03-01' and channel = 'all' and department_id = 'all'
    """
    ranks = [-(-len(values) * part // 10) - 1 for part in (5, 9)]
    assert connection.execute(sql).fetchall() == [(len(values), *(values[rank] for rank in ranks))]


@pytest.mark.spec("B28", "B27")
def test_stages_share_the_time_of_the_month_and_blocked_time_is_part_of_it(generated: Generated) -> None:
    connection, _ = generated
    shares = "select period_month, sum(elapsed_share), count(*) filter (is_bottleneck) from reporting.mart_cycle_bottleneck group by 1"
    assert all(abs(share - 1) < 1e-9 and count == 1 for _, share, count in connection.execute(shares).fetchall())
    sql = "select cut, sum(num) from reporting.mart_metric where metric_id = '{}' and cut in ('all', '{}') group by 1 order by 1"
    stages, elapsed = (connection.execute(sql.format("stage_seconds", "stage")).fetchall(),
                       connection.execute("select sum(elapsed_seconds) from marts.mart_ticket_clock").fetchone())  # fmt: skip
    assert elapsed is not None
    assert [total for _, total in stages] == [elapsed[0]] * 2
    blocked = connection.execute(
        "select sum(blocked_seconds), min(elapsed_seconds - blocked_seconds) >= 0 from reporting.mart_service_barriers"
    ).fetchone()
    assert blocked is not None
    assert blocked[1]
    assert blocked[0] == connection.execute(sql.format("blocked_seconds", "none")).fetchall()[0][1]


def test_the_backlog_of_a_day_is_what_is_unsolved_when_it_ends(generated: Generated) -> None:
    connection, rows = generated
    berlin = ZoneInfo("Europe/Berlin")
    found = connection.execute("select backlog_date, age_kind, open_count from reporting.ticket_backlog_day").fetchall()
    last = max(day for day, _, _ in found)
    for day in (date(2025, 3, 27) + timedelta(days=n) for n in range((last - date(2025, 3, 27)).days + 1)):
        end = datetime(day.year, day.month, day.day, tzinfo=berlin) + timedelta(days=1)
        unsolved = 0
        for ticket in rows["tickets"]:
            before = [
                e
                for e in rows["ticket_events"]
                if e["ticket_id"] == ticket["ticket_id"] and datetime.fromisoformat(e["event_at"]) < end.astimezone(UTC)
            ]
            states = [e["new_value"] for e in before if e["event_type"] in ("created", "status_change")]
            unsolved += bool(states) and states[-1] in ("new", "open", "pending", "on_hold")
        assert sum(count for at, _, count in found if at == day) == unsolved, day
    assert max(count for _, _, count in found) > 5
