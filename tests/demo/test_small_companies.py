"""Laws that hold in any company, however small, read back from its files and its truth tables with DuckDB."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from demo_company.behaviour import behaviour_of
from demo_company.company import write_company

NOBODY = {
    "a written contact has a ticket": "interactions where channel in ('email', 'web_form') and ticket_id is null",
    "an order belongs to an account that had joined": (
        "orders o left join accounts a using (account_id) where a.created_at is null or a.created_at > o.ordered_at"
    ),
    "a problem belongs to an order line": ("problem_events p left join order_lines l using (order_id, line_id) where l.order_id is null"),
    "a problem comes after its order": ("problem_events join orders using (order_id) where occurred_at < ordered_at"),
    "a problem report has an episode": (
        "tickets t left join truth_chains c on c.ticket = substr(t.ticket_id, 2)::bigint where t.is_problem_report = "
        "'true' and t.merged_into_ticket_id is null and c.event is null and t.last_solved_at is not null"
    ),
    "a ticket about an order is about one that was placed": (
        "tickets t left join orders o using (order_id) where t.order_id is not null and o.order_id is null"
    ),
    "what is refunded was sold": "refunds r left join order_lines l using (order_id, line_id) where l.line_id is null",
    "an answer has an invitation": (
        "survey_responses r left join survey_invitations v using (invitation_id) where v.invitation_id is null"
    ),
    "nobody is asked twice in 30 days": (
        "survey_invitations a join survey_invitations b on a.account_id = b.account_id and a.invitation_id < "
        "b.invitation_id and a.suppressed_reason is null and b.suppressed_reason is null and a.account_id not in "
        "(select to_account_id from account_merges) where abs(date_diff('second', a.invited_at::timestamp, "
        "b.invited_at::timestamp)) < 30 * 86400"
    ),
    "an agent's day has at most 24 hours": (
        "(select agent_id, work_date, sum(state_seconds::bigint) s from agent_time group by all) where s > 86400"
    ),
    "a call is answered by an agent who is employed": (
        "interactions i left join agents g using (agent_id) where i.queued_at is not null and i.agent_id is not null "
        "and (g.agent_id is null or g.hire_date > i.answered_at or g.separation_date < substr(i.answered_at, 1, 10))"
    ),
    "recovery is of a ticket": ("recovery_actions r left join tickets t using (ticket_id) where t.ticket_id is null"),
    "an offer is made in an interaction": ("offers f left join interactions i using (interaction_id) where i.interaction_id is null"),
    "nobody merged orders under the old id": (
        "orders join account_merges m on account_id = m.from_account_id where ordered_at >= m.merged_at"
    ),
    "no order comes after the service death": (
        "orders o join truth_accounts a on substr(o.account_id, 2)::bigint = a.account where "
        "epoch(o.ordered_at::timestamptz) >= a.service_death and o.account_id not in (select to_account_id from "
        "account_merges)"
    ),
}
"""What must not exist: the rest of a query after `select count(*) from`."""


def opened(folder: Path) -> duckdb.DuckDBPyConnection:
    """Latest version of every key as text, and the truth tables."""
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    first = {
        "order_lines": "order_id, line_id",
        "survey_responses": "response_id, question_key",
        "agent_time": "agent_id, work_date, agent_state",
    }
    first |= {"ticket_events": "ticket_id, event_number", "business_hours": "schedule_id, valid_from_date, weekday, start_minutes"}
    first |= {"holidays": "schedule_id, holiday_date", "entitlements": "entitlement_id, valid_from_date"}
    first |= {"benchmarks": "metric_id, benchmark_year", "staff_surveys": "team_id, quarter_start_date, item_key"}
    first |= {"reputation_scores": "score_date, reputation_source"}
    first |= {"agents": "agent_id, valid_from_date", "account_merges": "from_account_id"}
    feeds = {path.name for path in (folder / "landing" / "canonical").iterdir()}
    for feed in feeds:
        files = sorted((folder / "landing" / "canonical" / feed).glob("*/*.csv"))
        with files[0].open(encoding="utf-8") as first_file:
            header = first_file.readline().rstrip("\n").split(",")
        columns = ", ".join(f"{name}: 'varchar'" for name in header)
        names = ", ".join(f"'{file}'" for file in files)
        read = f"read_csv([{names}], columns = {{{columns}}}, auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"')"
        key = first.get(feed, header[0])
        connection.execute(
            f"create table {feed} as from {read} qualify row_number() over (partition by {key} order by source_updated_at desc) = 1"
        )
    if "account_merges" not in feeds:
        connection.execute("create table account_merges (from_account_id varchar, to_account_id varchar, merged_at varchar)")
    for table in (folder / "truth").glob("*.parquet"):
        connection.execute(f"create view truth_{table.stem} as from '{table}'")
    return connection


def counted(connection: duckdb.DuckDBPyConnection, rest: str) -> int:
    return int(connection.execute(f"select count(*) from {rest}").fetchone()[0])  # type: ignore[index]


@settings(max_examples=4, deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(
    accounts=st.integers(60, 260),
    months=st.integers(2, 5),
    seed=st.integers(0, 10_000),
    kind=st.sampled_from(["calendar", "4-4-5"]),
    concentration=st.sampled_from(["80/20", "98/2", "50/40"]),
)
def test_laws_of_any_company(accounts: int, months: int, seed: int, kind: str, concentration: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        truth = write_company(folder / "landing", accounts, months, seed, daily=2, calendar=kind, behaviour=behaviour_of(concentration))
        with opened(folder) as connection:
            tables = {row[0] for row in connection.execute("select table_name from information_schema.tables").fetchall()}
            for law, rest in NOBODY.items():
                if all(word not in rest or word in tables for word in ("recovery_actions", "survey_responses", "offers ", "refunds ")):
                    assert counted(connection, rest) == 0, law
        for month, pools in truth["pool_cents"].items():
            assert sum(pools.values()) == sum(truth["cost_cents"][month].values()) + truth["out_of_scope_cents"][month]
            assert truth["allocated_cents"][month] == sum(truth["cost_cents"][month].values())
            kept = truth["retention"][month]
            assert kept["opening_active"] + kept["new"] + kept["reactivated"] - kept["churned"] == kept["active"]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], duckdb.DuckDBPyConnection]:
    folder = tmp_path_factory.mktemp("counted")
    return write_company(folder / "landing", 500, 14, 21, daily=3), opened(folder)


COUNTS = {
    "tickets_created": "tickets where true, created_at",
    "tickets_solved": "tickets where ticket_state in ('solved', 'closed'), last_solved_at",
    "complaints": "tickets where is_complaint = 'true', created_at",
    "problem_reports": "tickets where is_problem_report = 'true', created_at",
    "interactions": "interactions where true, started_at",
    "handled": "interactions where answered_at is not null, started_at",
    "calls": "interactions where channel = 'phone', started_at",
    "queued": "interactions where queued_at is not null, started_at",
    "abandoned": "interactions where queued_at is not null and answered_at is null, started_at",
    "answered_within_20_seconds": (
        "interactions where queued_at is not null and answered_at is not null and queue_seconds::bigint <= 20, started_at"
    ),
    "offer_orders": "orders where offer_id is not null, ordered_at",
    "problem_events": "problem_events where true, occurred_at",
    "invited": "survey_invitations where suppressed_reason is null, invited_at",
    "invitations_delivered": "survey_invitations where delivered_at is not null, invited_at",
    "answered": "survey_responses where question_key in ('csat_overall', 'nps_recommend'), invited_at",
}


@pytest.mark.parametrize("law", NOBODY)
def test_a_law_holds_in_a_company_of_fourteen_months(law: str, company: tuple[dict[str, Any], duckdb.DuckDBPyConnection]) -> None:
    assert counted(company[1], NOBODY[law]) == 0


@pytest.mark.parametrize("name", COUNTS)
def test_counts_are_those_of_the_files(name: str, company: tuple[dict[str, Any], duckdb.DuckDBPyConnection]) -> None:
    truth, connection = company
    rest, at = COUNTS[name].rsplit(", ", 1)
    found = dict(connection.execute(f"select substr({at}, 1, 7), count(*) from {rest} group by 1").fetchall())
    assert found == {month: counts[name] for month, counts in truth["counts"].items() if counts[name]}
    assert sum(found.values()) > 0


def test_retention_is_that_of_the_files(company: tuple[dict[str, Any], duckdb.DuckDBPyConnection]) -> None:
    """Decision 10, by brute force: which merged accounts had an order in the window at each month's end, returned ones not counted."""
    truth, connection = company
    connection.execute("""
        create or replace temp table sale as
        select coalesce(further.to_account_id, merged.to_account_id, o.account_id) as account_id, o.ordered_at::date as day
        from orders o
        left join account_merges merged on merged.from_account_id = o.account_id
        left join account_merges further on further.from_account_id = merged.to_account_id
        left join (select f.order_id, sum(f.refund_amount::decimal(18,2)) back from refunds f join orders b using (order_id)
                   where f.refunded_at::date <= b.ordered_at::date + 30 group by 1) r using (order_id)
        where o.order_kind = 'sale' and o.is_test = 'false' and o.order_state <> 'cancelled'
          and coalesce(r.back, 0) < o.net_amount::decimal(18,2)""")
    before: set[str] = set()
    for month, said in truth["retention"].items():
        last, first = f"last_day(date '{month}-01')", f"date '{month}-01'"
        active = {
            row[0] for row in connection.execute(f"select account_id from sale where day <= {last} and day > {last} - 365").fetchall()
        }
        fresh = {
            row[0]
            for row in connection.execute(f"select account_id from sale group by 1 having min(day) between {first} and {last}").fetchall()
        }
        back = {
            row[0]
            for row in connection.execute(f"""
                select account_id from (select *, day - lag(day) over (partition by account_id order by day) as gap from sale)
                where gap > 365 and day between {first} and {last}""").fetchall()
        }
        stayed = (active & before) - back
        found = {"opening_active": len(before), "active": len(active), "retained": len(stayed), "churned": len(before - stayed)}
        found |= {"new": len(active & fresh), "reactivated": len(active - fresh - stayed)}
        assert found == said, month
        before = active


def test_people_cost_is_what_the_roster_was_paid(company: tuple[dict[str, Any], duckdb.DuckDBPyConnection]) -> None:
    truth, connection = company
    paid = dict(
        connection.execute("""
        select substr(work_date, 1, 7), round(sum((state_seconds::bigint) * rate) / 36)::bigint from agent_time join
            (select agent_id, max(hourly_cost_amount::decimal(18,2)) rate from agents group by 1) using (agent_id) group by 1""").fetchall()
    )
    for month, pools in truth["pool_cents"].items():
        booked = sum(cents for pool, cents in pools.items() if pool.startswith("people"))
        assert abs(booked - paid[month]) < 0.03 * paid[month], month


def test_answers_are_given_more_often_by_those_who_would_not_recommend() -> None:
    with tempfile.TemporaryDirectory() as name:
        said = write_company(Path(name) / "landing", 3_000, 3, 8, daily=0)["recommendation"]
    everyone, answered = (
        {kind: sum(month[group][kind] for month in said.values()) for kind in ("detractors", "passives", "promoters")}
        for group in ("everyone", "answered")
    )
    rate = {kind: answered[kind] / everyone[kind] for kind in everyone}
    assert rate["detractors"] > rate["promoters"] > rate["passives"] > 0
