"""Service standards: which can be counted, which were kept, and which promise nothing. Breaks: a promise that looks kept."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest

from dagster_project.transform import project

Row = dict[str, Any]
Build = Callable[..., duckdb.DuckDBPyConnection]
MONTHS = [date(2023 + at // 12, at % 12 + 1, 1) for at in range(30)]
WHOLE: dict[str, list[Row]] = runpy.run_path(str(Path(__file__).with_name("company_rows.py")))["WHOLE"]


def standard(name: str, **more: Any) -> Row:
    return {
        "standard_id": name, "valid_from_date": "2023-01-01", "metric_id": "answer_rate", "comparator": ">=", "threshold_value": "0.8",
        "unit": "rate", "population": "calls", "target_share": "1", "goal_kind": "raise_satisfaction",
    } | more  # fmt: skip


def calls(month: date, answered: int, of: int, **more: Any) -> list[Row]:
    return [
        {"interaction_id": f"{month}{more.get('channel')}{n}", "channel": "phone", "started_at": f"{month:%Y-%m}-10T10:00:00+00",
         "outcome": "answered" if n < answered else "abandoned_queue", "queue_seconds": 9} | more
        for n in range(of)
    ]  # fmt: skip


def attainment(connection: duckdb.DuckDBPyConnection, name: str, *columns: str) -> list[Any]:
    sql = f"select {', '.join(columns)} from reporting.mart_standard_attainment where standard_id = ? order by period_month"
    rows = connection.execute(sql, [name]).fetchall()
    return [row[0] for row in rows] if len(columns) == 1 else rows


RATES = [9] * 14 + [8] + [7] * 8 + [10, 10, 10] + [0, 10, 10, 10]  # answered of ten, month by month


@pytest.fixture(scope="module")
def company(figures: Build) -> duckdb.DuckDBPyConnection:
    """Thirty months of ten calls each, and as many chats, of which eight are answered."""
    interactions = [row for month, rate in zip(MONTHS, RATES, strict=True) for row in calls(month, rate, 10)]
    interactions += [row for month in MONTHS for row in calls(month, 8, 10, channel="chat")]
    phone = {"channel": "phone"}
    standards = [
        standard("PHONE", **phone),
        standard("PERCENT", **phone, threshold_value="80", unit="percent"),
        standard("STRICT", **phone, comparator=">"),
        standard("CHAT", channel="chat"),
        standard("HARD", channel="chat", threshold_value="0.95"),
        standard("NEARLY", channel="chat", threshold_value="0.81"),
        standard("LOST", **phone, metric_id="abandonment_rate", comparator="<=", threshold_value="0.2"),
        standard("GAP", **phone, valid_to_date="2023-04-01"),
        standard("GAP", **phone, valid_from_date="2023-05-01"),
        standard("TWENTY SECONDS", **phone, metric_id="service_level_answered", comparator="<=", threshold_value="20", unit="seconds",
                 target_share="0.9"),
        standard("THIRD RING", **phone, metric_id="ring_count", comparator="<", threshold_value="3", unit="rings", target_share="0.9"),
        standard("FAST", standard_text="answer the phone fast", metric_id=None, comparator=None, threshold_value=None, unit=None,
                 population=None, target_share=None),
        standard("NOBODY", population=None),
        standard("ALL THE TIME", target_share=None),
        standard("SMILES", metric_id="smiles"),
        standard("MINUTES", unit="minutes"),
        standard("TIER OF A CHANNEL", customer_tier="A", **phone),
    ]  # fmt: skip
    return figures({"interactions": interactions, "service_standards": standards}, latest_delivery_date="2025-07-02")


@pytest.mark.spec("B21", "D35", "D36")
def test_a_standard_without_a_number_is_refused_and_the_third_ring_is_counted(company: duckdb.DuckDBPyConnection) -> None:
    sql = "select standard_id, is_countable, refused_reason from marts.dim_standard"
    sql += " where refused_reason is not null or standard_id = 'THIRD RING'"
    assert sorted(company.execute(sql).fetchall()) == [
        ("ALL THE TIME", False, "no_target_share"), ("FAST", False, "no_threshold"), ("NOBODY", False, "no_population"),
        ("THIRD RING", True, None),
    ]  # fmt: skip
    refused = {name: set(attainment(company, name, "refused_reason", "value", "is_attained")) for name in ("FAST", "SMILES", "MINUTES")}
    assert refused == {
        "FAST": {("no_threshold", None, None)}, "SMILES": {("metric_unknown", None, None)}, "MINUTES": {("unit_differs", None, None)},
    }  # fmt: skip
    assert set(attainment(company, "TIER OF A CHANNEL", "refused_reason")) == {"tier_of_a_channel"}
    rings = attainment(company, "THIRD RING", "measured_metric_id", "measured_comparator", "target_value", "null_reason", "is_attained")
    assert set(rings) == {("answered_before_ring_3_rate", ">=", Decimal("0.9"), "not_measured", None)}


def test_a_month_keeps_its_standard_by_the_side_of_the_threshold(company: duckdb.DuckDBPyConnection) -> None:
    kept = [rate >= 8 for rate in RATES]
    for name in ("PHONE", "PERCENT", "LOST"):
        assert attainment(company, name, "is_attained") == kept, name
    assert attainment(company, "STRICT", "is_attained") == [rate > 8 for rate in RATES]
    assert attainment(company, "PHONE", "value") == [rate / 10 for rate in RATES]
    assert set(attainment(company, "PHONE", "n", "null_reason", "is_complete_period")) == {(10, None, True)}
    assert set(attainment(company, "TWENTY SECONDS", "value", "target_value")) == {(1.0, Decimal("0.9")), (None, Decimal("0.9"))}
    assert len(attainment(company, "TWENTY SECONDS", "null_reason")) == 30


def runs(kept: list[bool | None], months: list[int]) -> list[tuple[int, int] | None]:
    """Length of the run of kept and of missed months up to each, by walking back from it."""
    lengths = []
    for at, state in enumerate(kept):
        if state is None:
            lengths.append(None)
            continue
        length = {True: 0, False: 0}
        back = at
        while back >= 0 and kept[back] is state and (back == at or months[back + 1] - months[back] == 1):
            length[state] += 1
            back -= 1
        lengths.append((length[True], length[False]))
    return lengths


def test_streaks_are_those_of_a_walk_back_and_a_gap_ends_them(company: duckdb.DuckDBPyConnection) -> None:
    kept: list[bool | None] = [rate >= 8 for rate in RATES]
    every = list(range(len(MONTHS)))
    assert attainment(company, "PHONE", "attained_streak_count", "missed_streak_count") == runs(kept, every)
    without_april = [month for month in every if month != 3]
    assert attainment(company, "GAP", "attained_streak_count", "missed_streak_count") == runs(
        [kept[month] for month in without_april], without_april
    )


@pytest.mark.spec("B22", "B23", "B24")
def test_too_easy_from_the_twelfth_month_on_and_unattainable_after_six_that_were_missed_clearly(company: duckdb.DuckDBPyConnection) -> None:
    easy = attainment(company, "PHONE", "is_too_easy")
    assert easy[:15] == [None] * 11 + [True, True, True, False], "14 months at 0.9; the fifteenth only just keeps it"
    attainable = attainment(company, "PHONE", "attainability_rate")
    assert attainable[:16] == [None] * 11 + [1.0, 1.0, 1.0, 1.0, pytest.approx(11 / 12)]
    assert set(attainment(company, "CHAT", "is_too_easy")[11:]) == {False}, "kept, and never by more than the target"
    missed = attainment(company, "PHONE", "is_unattainable")
    assert [at for at, flag in enumerate(missed) if flag] == [20, 21, 22], "six months at 0.7, then 1.0"
    assert attainment(company, "HARD", "is_unattainable") == [None] * 5 + [True] * 25
    assert attainment(company, "NEARLY", "is_unattainable") == [None] * 5 + [False] * 25, "one point below is not clearly missed"
    assert set(attainment(company, "HARD", "attainability_rate")[11:]) == {0.0}


def test_a_month_that_is_not_complete_is_shown_and_makes_no_streak(figures: Build) -> None:
    interactions = [row for month in MONTHS[:3] for row in calls(month, 9, 10)]
    company = figures({"interactions": interactions, "service_standards": [standard("S")]}, latest_delivery_date="2023-03-15")
    assert attainment(company, "S", "is_complete_period", "is_attained", "attained_streak_count") == [
        (True, True, 1), (True, True, 2), (False, True, None),
    ]  # fmt: skip


def answers(month: date, satisfied: int, of: int, account: str = "a") -> list[Row]:
    return [
        {"response_id": f"R{month}{account}{n}", "question_key": "q", "account_id": account, "survey_metric": "csat", "scale_min": "1",
         "scale_max": "5",
         "score": "5" if n < satisfied else "1", "responded_at": f"{month:%Y-%m}-11T10:00:00+00"}
        for n in range(of)
    ]  # fmt: skip


@pytest.mark.spec("E22")
def test_a_watermelon_is_green_inside_and_red_by_more_than_five_points_with_thirty_answers(figures: Build) -> None:
    """Satisfied of 40: 30 (exactly five points below 80 %), 29, and 29 where too few calls were answered; then 5 of 29."""
    interactions = [row for month, rate in zip(MONTHS[:4], (9, 9, 7, 9), strict=True) for row in calls(month, rate, 10)]
    responses = [
        row
        for month, (good, of) in zip(MONTHS[:4], ((30, 40), (29, 40), (29, 40), (5, 29)), strict=True)
        for row in answers(month, good, of)
    ]
    standards = [standard("CALLS"), standard("CSAT", metric_id="csat_rate", population="answers")]
    rows = {"interactions": interactions, "survey_responses": responses, "service_standards": standards}
    company = figures(rows, latest_delivery_date="2023-05-02")
    assert attainment(company, "CALLS", "is_watermelon") == [False, True, False, None]
    assert attainment(company, "CSAT", "is_watermelon") == [False] * 4
    without = figures({"interactions": interactions, "service_standards": standards[:1]}, latest_delivery_date="2023-05-02")
    assert attainment(without, "CALLS", "is_watermelon") == [None, None, False, None]


@pytest.mark.spec("D25")
def test_small_customers_keep_their_floor_or_the_run_warns(figures: Build, render: Callable[[str], str]) -> None:
    """The tier of January is that of February's figures; one order of each account makes A, B and C of it."""
    sizes = {"big": "8000.00", "middle": "1500.00", "small": "500.00"}
    orders = [{"order_id": a, "account_id": a, "ordered_at": "2023-01-05T10:00:00+00", "currency_code": "EUR"} for a in sizes]
    lines = [
        {"order_id": a, "line_id": "1", "quantity": 1, "unit_price": price, "net_amount": price, "unit_cost": "0.00"}
        for a, price in sizes.items()
    ]
    start = [{"order_id": "OLD", "account_id": "big", "ordered_at": "2021-12-05T10:00:00+00", "currency_code": "EUR"}]
    ledger = [
        {"journal_id": "J", "line_number": 1, "legal_entity": "E", "cost_centre": "C", "fiscal_period": f"{month:%Y-%m}",
         "book_id": f"{month}",
         "posted_at": "2023-03-28T10:00:00+00", "gl_account": "G", "cost_category": "people", "pool_id": "p", "ledger_amount": "1.00",
         "currency_code": "EUR"}
        for month in [date(2021, 12, 1), *(date(2022, at, 1) for at in range(1, 13)), *MONTHS[:3]]
    ]  # fmt: skip
    february = date(2023, 2, 1)
    answered = {"big": 10, "middle": 10, "small": 8}
    interactions = [row | {"interaction_id": f"{account}{n}", "account_id": account} for account, good in answered.items()
                    for n, row in enumerate(calls(february, good, 10))]  # fmt: skip
    standards = [
        standard("C", customer_tier="C"),
        standard("C HIGH", customer_tier="C", threshold_value="0.9"),
        standard("A", customer_tier="A"),
    ]
    rows = {
        "orders": [*orders, *start],
        "order_lines": lines,
        "ledger_actuals": ledger,
        "interactions": interactions,
        "service_standards": standards,
    }
    company = figures(rows, latest_delivery_date="2023-03-02")
    tiers = company.execute(
        "select account_id, account_tier from analytics.mart_account_tier where period_month = '2023-01-01' order by 1"
    ).fetchall()
    assert tiers == [("big", "A"), ("middle", "B"), ("small", "C")]
    columns = ("value", "is_attained", "tier_gap_value", "is_floor_kept")
    sql = f"select {', '.join(columns)} from reporting.mart_standard_attainment where period_month = '2023-02-01' and standard_id = ?"
    found = {name: company.execute(sql, [name]).fetchone() for name in ("A", "C", "C HIGH")}
    assert found == {"A": (1.0, True, 0.0, None), "C": (0.8, True, 0.2, False), "C HIGH": (0.8, False, 0.2, False)}
    guard = render((project.DBT_DIR / "tests" / "assert_small_customers_keep_their_floor.sql").read_text(encoding="utf-8"))
    assert {row[1] for row in company.execute(guard).fetchall()} == {"C", "C HIGH"}


@pytest.mark.spec("C83")
def test_a_family_of_goals_without_a_standard_is_named(company: duckdb.DuckDBPyConnection, render: Callable[[str], str]) -> None:
    guard = render((project.DBT_DIR / "tests" / "assert_goals_cover_all_families.sql").read_text(encoding="utf-8"))
    assert sorted(row[1] for row in company.execute(guard).fetchall()) == ["cut_cost", "raise_value", "use_resources"]
    assert set(attainment(company, "PHONE", "goal_kind")) == {"raise_satisfaction"}


def test_without_standards_there_is_nothing_to_attain(figures: Build, render: Callable[[str], str]) -> None:
    company = figures({"interactions": calls(MONTHS[0], 9, 10)}, latest_delivery_date="2025-07-02")
    assert company.execute("select count(*) from reporting.mart_standard_attainment").fetchall() == [(0,)]
    for name in ("assert_goals_cover_all_families", "assert_small_customers_keep_their_floor"):
        assert company.execute(render((project.DBT_DIR / "tests" / f"{name}.sql").read_text(encoding="utf-8"))).fetchall() == []


def test_random_series_are_those_of_a_count_by_hand(figures: Build) -> None:
    random = Random(3)
    series = [random.choice([6, 7, 8, 9, 10, None]) for _ in MONTHS]
    series[0] = 9  # the first call begins the feed
    interactions = [row for month, rate in zip(MONTHS, series, strict=True) if rate is not None for row in calls(month, rate, 10)]
    company = figures({"interactions": interactions, "service_standards": [standard("S")]}, latest_delivery_date="2025-07-02")
    kept = [None if rate is None else rate >= 8 for rate in series]
    found = attainment(company, "S", "is_attained", "attained_streak_count", "missed_streak_count", "attainability_rate", "is_unattainable")
    lengths = runs(kept, list(range(len(MONTHS))))
    assert len(found) == len(kept)
    for at, (state, attained, missed, rate, hopeless) in enumerate(found):
        year, half = kept[max(0, at - 11) : at + 1], series[max(0, at - 5) : at + 1]
        assert state is kept[at]
        assert (attained, missed) == (lengths[at] or (None, None))
        assert rate == (sum(map(bool, year)) / 12 if len(year) == 12 and None not in year else None)
        expected = None if len(half) < 6 or None in half else all(one < 8 for one in half) and max(half) < 7.8
        assert hopeless is expected
