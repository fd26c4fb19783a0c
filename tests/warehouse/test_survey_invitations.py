"""Who was asked by a survey, how soon, in which channel, and who answered: by hand, and for random invitations.

Breaks: a survey that counts as asked at once though it was not, a contact that counts twice, an absent feed that looks like nobody asked.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import duckdb
import pytest

Build = Callable[..., duckdb.DuckDBPyConnection]
Row = dict[str, Any]


def answer(name: str, invitation: str | None, **more: Any) -> Row:
    row = {"response_id": name, "question_key": "csat_overall", "survey_metric": "csat", "scale_min": 1, "scale_max": 5, "score": 5}
    return row | {"responded_at": "2025-01-20 10:00:00+00", "account_id": "a", "channel": "email", "invitation_id": invitation} | more


CALL: Row = {"interaction_id": "C1", "account_id": "a", "channel": "phone", "outcome": "answered", "department_id": "D",
        "started_at": "2025-01-10 10:00:00+00", "ended_at": "2025-01-10 10:10:00+00"}  # fmt: skip
ASKED: Row = {"survey_kind": "transactional", "delivered_at": "2025-01-11 10:00:00+00"}


def company() -> dict[str, list[Row]]:
    """Five contacts that could be asked about, one of spam, one abandoned; eight invitations."""
    calls = [CALL, *[CALL | {"interaction_id": f"C{n}"} | more for n, more in enumerate((
        {"channel": "chat", "ticket_id": "T1"}, {"channel": "email", "ticket_id": "T1",
         "started_at": "2025-01-12 10:00:00+00", "ended_at": None},
        {"account_id": "nobody"}, {"outcome": "abandoned_queue"}, {"ticket_id": "SPAM"}, {}), start=2)]]  # fmt: skip
    invitations = [
        ASKED | {"invitation_id": name, "invited_at": f"2025-01-{at}+00", **more}
        for name, at, more in (
            ("same", "10 10:25:00", {"interaction_id": "C1", "channel": "phone"}),  # 15 minutes to the second
            ("later", "10 10:25:01", {"interaction_id": "C1", "channel": "email", "delivered_at": None, "is_bounced": True}),
            ("ticket", "10 11:00:00", {"ticket_id": "T1", "channel": "messaging"}),  # its last contact before is the chat
            ("stranger", "10 10:09:59", {"interaction_id": "C4", "channel": "phone"}),  # before the call ended
            ("spared", "10 10:20:00", {"interaction_id": "C7", "channel": "phone", "suppressed_reason": "asked lately",
                                        "delivered_at": None}),
            ("lost", "10 10:20:00", {"interaction_id": "NOWHERE", "channel": "phone"}),
            ("gone", "10 10:20:00", {"interaction_id": "C3", "channel": "email", "is_deleted": True}),
            ("yearly", "20 10:00:00", {"account_id": "a", "channel": "email", "survey_kind": "relationship"}),
        )
    ]  # fmt: skip
    responses = [
        answer(name, invitation, **more)
        for name, invitation, more in (
            ("R1", "same", {}), ("R2", "same", {"responded_at": "2025-01-21 10:00:00+00"}), ("R3", "ticket", {"is_partial": True}),
            ("R4", "yearly", {"is_deleted": True}), ("R5", "NEVER", {}), ("R6", None, {}),
        )
    ]  # fmt: skip
    return {
        "accounts": [{"account_id": "a", "segment": "core", "preferred_channel": "phone"}, {"account_id": "b"}],
        "tickets": [{"ticket_id": "T1", "account_id": "a", "channel": "chat", "created_at": "2025-01-10 09:00:00+00",
                     "ticket_state": "open"},
                    {"ticket_id": "SPAM", "account_id": "a", "created_at": "2025-01-10 09:00:00+00", "ticket_state": "spam"}],
        "interactions": calls, "survey_invitations": invitations, "survey_responses": responses,
    }  # fmt: skip


@pytest.fixture(scope="module")
def asked(figures: Build) -> duckdb.DuckDBPyConnection:
    return figures(company(), latest_delivery_date="2025-02-01", company_time_zone="UTC")


def metric(connection: duckdb.DuckDBPyConnection, name: str, cut: str = "all", member: str = "all") -> tuple[Any, ...]:
    (row,) = connection.execute(
        f"select num, den, value from reporting.mart_metric where metric_id = '{name}' and cut = '{cut}' and member = '{member}'"
        " and period_month = '2025-01-01'"
    ).fetchall()
    found: tuple[Any, ...] = row
    return found


@pytest.mark.spec("E19")
def test_a_call_followed_by_an_e_mail_is_not_the_same_channel(asked: duckdb.DuckDBPyConnection) -> None:
    rows = dict(
        asked.execute("select invitation_id, is_same_channel from marts.fct_survey_invitation where invitation_id is not null").fetchall()
    )
    assert rows == {
        "same": True,
        "later": False,
        "ticket": True,
        "stranger": True,
        "spared": True,
        "lost": None,
        "gone": True,
        "yearly": None,
    }
    assert metric(asked, "same_channel_survey_rate") == (3, 4, 0.75)
    assert metric(asked, "same_channel_survey_rate", "channel", "phone") == (2, 3, 2 / 3)


@pytest.mark.spec("E20")
def test_at_once_is_to_the_second_and_a_negative_lag_is_an_error_and_no_success(
    asked: duckdb.DuckDBPyConnection, found: Callable[..., list[tuple[Any, ...]]]
) -> None:
    lags = asked.execute(
        "select invitation_id, lag_seconds, is_immediate, lag_null_reason from marts.fct_survey_invitation where is_asked order by 1"
    ).fetchall()
    assert lags == [
        ("later", 901, False, None), ("lost", None, None, "contact_unknown"), ("same", 900, True, None),
        ("stranger", -1, None, "before_contact_ended"),
        ("ticket", 3000, False, None), ("yearly", None, None, "no_contact"),
    ]  # fmt: skip
    assert metric(asked, "immediate_survey_rate") == (1, 3, 1 / 3)
    assert metric(asked, "survey_lag_seconds") == (4801, 3, 4801 / 3)
    assert metric(asked, "surveys_before_end")[0] == 1
    assert [row[1] for row in found(asked, "assert_surveys_follow_their_contact")] == ["stranger"]


@pytest.mark.spec("E21")
@pytest.mark.spec("A12")
def test_who_was_asked_of_those_who_could_be_and_the_spared_apart(
    asked: duckdb.DuckDBPyConnection, found: Callable[..., list[tuple[Any, ...]]]
) -> None:
    """C1, C2 and C4 were asked about, C7 was spared, C3 was not (its invitation was taken back); C5 hung up and C6 is spam."""
    assert metric(asked, "survey_ask_rate") == (3, 5, 0.6)
    assert metric(asked, "survey_contacts_suppressed")[0] == 1
    assert metric(asked, "survey_ask_rate", "channel", "phone") == (2, 3, 2 / 3)
    assert metric(asked, "survey_ask_rate", "channel", "email") == (0, 1, 0)
    over = "select count(*) from reporting.mart_metric where metric_id in ('survey_ask_rate', 'survey_response_rate') and value > 1"
    assert asked.execute(over).fetchone() == (0,)
    # Six were sent, one bounced; two answers to one invitation answer it once, partial and deleted ones do not.
    assert metric(asked, "survey_delivery_rate") == (5, 6, 5 / 6)
    assert metric(asked, "survey_response_rate") == (1, 5, 0.2)
    joined = asked.execute("""
        select answers.response_id, count(invitations.invitation_key) from marts.fct_survey_response as answers
        left join marts.fct_survey_invitation as invitations using (invitation_id)
        where answers.invitation_id is not null group by 1 order by 1
    """).fetchall()
    orphans = {row[1] for row in found(asked, "assert_answers_find_their_invitation")}
    assert {name for name, count in joined if count != 1} == orphans == {"R5"}


@pytest.mark.spec("E18")
def test_a_preference_that_nobody_knows_is_in_no_rate(asked: duckdb.DuckDBPyConnection) -> None:
    """Of account a: same, later, ticket and yearly; stranger and lost are of nobody known."""
    assert metric(asked, "preferred_channel_match_rate") == (1, 4, 0.25)


def test_without_invitations_nobody_knows_who_was_asked(figures: Build) -> None:
    without = {feed: rows for feed, rows in company().items() if feed != "survey_invitations"}
    connection = figures(without, latest_delivery_date="2025-02-01", company_time_zone="UTC")
    assert connection.execute("select count(*) from marts.fct_survey_invitation").fetchone() == (0,)
    for name in ("survey_ask_rate", "survey_response_rate", "same_channel_survey_rate", "surveys_sent", "survey_contacts_eligible"):
        rows = connection.execute(f"select distinct value, null_reason from reporting.mart_metric where metric_id = '{name}'").fetchall()
        assert rows == [(None, "source_absent")], name
    unread = {feed: rows for feed, rows in company().items() if feed != "survey_responses"}
    connection = figures(unread, latest_delivery_date="2025-02-01", company_time_zone="UTC")
    for name in ("survey_response_rate", "acsi_score"):
        rows = connection.execute(f"select distinct value, null_reason from reporting.mart_metric where metric_id = '{name}'").fetchall()
        assert rows == [(None, "source_absent")], name


def test_each_eligible_contact_stands_in_one_row_whatever_invitations_there_are(quick: Build) -> None:
    """Random invitations of random contacts and tickets, some deleted, suppressed or of nobody."""
    random, rows = Random(3), company()
    rows["survey_invitations"] = [
        {"invitation_id": f"V{n}", "invited_at": f"2025-01-{random.randrange(1, 28):02d} 10:00:00+00", "is_deleted": random.random() < 0.2,
         "suppressed_reason": random.choice([None, "no consent"]), random.choice(["interaction_id", "ticket_id"]): random.choice(
             ["C1", "C2", "C3", "C4", "C5", "C6", "C7", "T1", "SPAM", "X"])}
        for n in range(60)
    ]  # fmt: skip
    connection = quick(rows, latest_delivery_date="2025-02-01", company_time_zone="UTC")
    counted = connection.execute("select interaction_key from marts.fct_survey_invitation where is_contact_counted order by 1").fetchall()
    assert [name for (name,) in counted] == ["C1", "C2", "C3", "C4", "C7"]
    assert connection.execute("select count(*) from marts.fct_survey_invitation where invitation_key is not null").fetchone() == (60,)


def test_a_contact_of_a_month_before_the_first_invitation_is_in_no_share(figures: Build) -> None:
    """Asked in February about a contact of January, when nobody knows who was asked: 1 of 1 would be false; one of staff begins nothing."""
    calls = [CALL | {"interaction_id": "OLD"}, CALL | {"interaction_id": "NEW", "started_at": "2025-02-02 10:00:00+00"}]
    asked = [
        ASKED | {"invitation_id": "ABOUT_OLD", "interaction_id": "OLD", "invited_at": "2025-02-01 10:00:00+00", "channel": "phone"},
        ASKED | {"invitation_id": "STAFF", "survey_kind": "staff", "invited_at": "2025-01-02 10:00:00+00"},
        ASKED | {"invitation_id": "GONE", "is_deleted": True, "invited_at": "2025-01-02 10:00:00+00"},
    ]  # fmt: skip
    rows = {"accounts": [{"account_id": "a"}], "interactions": calls, "survey_invitations": asked}
    connection = figures(rows, latest_delivery_date="2025-03-01", company_time_zone="UTC")
    counted = "select interaction_key, is_asked from marts.fct_survey_invitation where is_contact_counted"
    assert connection.execute(counted).fetchall() == [("NEW", False)]
    sent = "select period_month::varchar, num from reporting.mart_metric where metric_id = 'surveys_sent' and cut = 'all' and num > 0"
    assert connection.execute(sent).fetchall() == [("2025-02-01", 1)]


def test_an_answer_finds_the_invitation_of_its_system_else_of_the_one_other(
    quick: Build, found: Callable[..., list[tuple[Any, ...]]]
) -> None:
    """Random ids of three systems, against the rule of decision 28 in Python."""
    random, systems = Random(5), ("canonical", "desk", "voice")
    held = {(system, f"V{random.randrange(12)}") for system in systems for _ in range(6)}
    invitations = [
        ASKED | {"invitation_id": name, "source_system": system, "invited_at": "2025-01-10 10:00:00+00", "account_id": "a"}
        for system, name in sorted(held)
    ]
    responses = [answer(f"R{n}", f"V{random.randrange(14)}", source_system=random.choice(systems)) for n in range(20)]
    reached, lost = set(), set()
    for row in responses:
        system, name = row["source_system"], row["invitation_id"]
        having = [one for one in systems if (one, name) in held]
        one = system if system in having else having[0] if len(having) == 1 else None
        if one:
            reached.add(name if one == "canonical" else f"{one}:{name}")
        else:
            lost.add(row["response_id"])
    rows: dict[str, list[Row]] = {"accounts": [{"account_id": "a"}], "survey_invitations": invitations, "survey_responses": responses}
    connection = quick(rows, latest_delivery_date="2025-02-01", company_time_zone="UTC")
    answered = connection.execute("select invitation_key from marts.fct_survey_invitation where is_answered").fetchall()
    assert {key for (key,) in answered} == reached
    assert {row[1].rpartition(":")[2] for row in found(connection, "assert_answers_find_their_invitation")} == lost
    assert len(reached) > 5
    assert len(lost) > 2


def test_a_source_that_begins_to_report_deliveries_did_not_fail_before(figures: Build) -> None:
    """January has no instant of delivery, and one invitation that was answered; of it alone a rate of 1 would be false."""
    asked = [ASKED | {"invitation_id": f"V{n}", "invited_at": "2025-01-10 10:00:00+00", "delivered_at": None} for n in range(4)]
    asked += [ASKED | {"invitation_id": "W1", "invited_at": "2025-02-01 10:00:00+00", "delivered_at": "2025-02-01 10:00:05+00"}]
    asked += [ASKED | {"invitation_id": "W2", "invited_at": "2025-02-01 10:00:00+00", "delivered_at": None}]
    rows = {"survey_invitations": asked, "survey_responses": [answer("R", "V0"), answer("S", "W1")]}
    connection = figures(rows, latest_delivery_date="2025-03-01", company_time_zone="UTC")
    for name, expected in (("survey_delivery_rate", (1, 2, 0.5)), ("survey_response_rate", (1, 1, 1))):
        found = connection.execute(
            f"select num, den, value, null_reason from reporting.mart_metric where metric_id = '{name}' and cut = 'all'"
            " and period_month < '2025-03-01' order by period_month"
        ).fetchall()
        assert found[0][2:] == (None, "delivery_not_reported"), name
        assert found[1] == (*expected, None), name
