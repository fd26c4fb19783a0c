"""Scores of surveys: by hand, by published numbers and by a count that shares no code with the SQL.

Breaks: questions that are mixed, a few answers that look like a score, an unknown that is 0.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import sqrt
from typing import Any

import duckdb
import pytest

Build = Callable[..., duckdb.DuckDBPyConnection]
Row = dict[str, Any]
Z = 1.959963984540054
ITEMS = ("acsi_overall", "acsi_expectation", "acsi_ideal")


def answer(name: str, question: str, score: float | None, **more: Any) -> Row:
    """One answer of January on 1 to 5."""
    row = {"response_id": name, "question_key": question, "survey_metric": "csat", "scale_min": 1, "scale_max": 5, "score": score}
    return row | {"responded_at": "2025-01-20 10:00:00+00", "account_id": "a", "channel": "email"} | more


def answers() -> list[Row]:
    """Answers to many questions, each with its own counts."""
    rows = [answer(f"S{n}", "csat_overall", 1 + n % 5, channel="sms" if n % 3 else "phone") for n in range(100)]
    rows += [answer(f"P{n}", "csat_product", 5 if n < 81 else 2, account_id="b") for n in range(263)]  # Newcombe (1998): 81 of 263
    rows += [answer(f"V{n}", "csat_service", 5 if n < 15 else 3) for n in range(148)]
    rows += [answer(f"C{n}", "felt_cared_for", 4 if n < 1 else 1, question_version="2") for n in range(29)]
    rows += [answer(f"W{n}", "value_perception", 1 + n % 7, scale_max=7, survey_metric="other") for n in range(35)]
    rows += [answer(f"E{n}", "ces_effort", 1 + n % 7, scale_max=7, survey_metric="ces") for n in range(70)]
    nps = [10] * 50 + [7] * 30 + [6] * 20  # p = .5, d = .2
    for kind in ("relationship", "transactional"):
        rows += [
            answer(f"N{kind}{n}", "nps_recommend", score if kind == "relationship" else 0, survey_metric="nps", survey_kind=kind,
                   scale_min=0, scale_max=10) for n, score in enumerate(nps)
        ]  # fmt: skip
    rows += [answer("NX", "nps_recommend", 5, survey_metric="nps", survey_kind="relationship")]  # on 1 to 5 nobody is a promoter
    rows += [answer("S_NONE", "csat_overall", 5, scale_max=None), answer("S_PART", "csat_overall", 5, is_partial=True)]
    rows += [answer("S_GONE", "csat_overall", 5, is_deleted=True), answer("S_MUTE", "csat_overall", None)]
    for n in range(32):
        scores = (8, 7, 7)
        rows += [
            answer(f"A{n}", item, score, survey_metric="acsi", survey_kind="relationship", scale_max=10, account_id="b" if n else "nobody")
            for item, score in zip(ITEMS, scores, strict=True)
        ]  # fmt: skip
    rows.append(answer("STAFF", "csat_overall", 1, survey_kind="staff"))  # what an employee says is no customer's satisfaction
    # Who corrects one item is one respondent still, with the corrected answer, in the month of the correction.
    for item, score, at in [(item, 1, "01-31") for item in ITEMS] + [(ITEMS[0], 10, "02-02")]:
        more = {"survey_metric": "acsi", "survey_kind": "win_loss", "scale_max": 10, "invitation_id": "I"}
        rows.append(answer(f"A_AGAIN{at}", item, score, responded_at=f"2025-{at} 10:00:00+00", **more))
    # Two of three items, and three of which one is on another scale: no respondents.
    rows += [answer("A_TWO", item, 10, survey_metric="acsi", survey_kind="relationship", scale_max=10) for item in ITEMS[:2]]
    rows += [
        answer("A_FIVE", item, 5, survey_metric="acsi", survey_kind="relationship", scale_max=5 if item == ITEMS[2] else 10)
        for item in ITEMS
    ]
    return rows


ACCOUNTS = [{"account_id": "a", "segment": "core"}, {"account_id": "b", "segment": "growth"}]


@pytest.fixture(scope="module")
def scored(figures: Build) -> duckdb.DuckDBPyConnection:
    return figures({"accounts": ACCOUNTS, "survey_responses": answers()}, latest_delivery_date="2025-03-01")


def score(connection: duckdb.DuckDBPyConnection, question: str, columns: str, where: str = "cut = 'all'") -> tuple[Any, ...]:
    (row,) = connection.execute(
        f"select {columns} from reporting.mart_survey_score where question_key = '{question}' and period_kind = 'month'"
        f" and period_start = '2025-01-01' and survey_kind not in ('win_loss', 'staff') and {where}"
    ).fetchall()
    found: tuple[Any, ...] = row
    return found


@pytest.mark.spec("B02")
def test_counts_by_score_reproduce_the_share_of_the_satisfied(scored: duckdb.DuckDBPyConnection) -> None:
    """Of 100 answers 1, 2, 3, 4, 5 in turn 40 are 4 or 5; the one without a scale is counted beside, others are none."""
    counts = "answers_count, n, highest_count, top_count, middle_count, bottom_count, good_share, answer_mean_score"
    assert score(scored, "csat_overall", counts) == (101, 100, 20, 40, 20, 40, 0.4, 3.0)
    by_score = scored.execute(
        "select answer_score, count(*) from marts.fct_survey_response where question_key = 'csat_overall' and is_counted"
        " and scale_max_score = 5 and survey_kind <> 'staff' group by 1"
    ).fetchall()
    good, every = sum(n for value, n in by_score if value >= 4), sum(n for _, n in by_score)
    ((num, den, value, low, high),) = scored.execute(
        "select num, den, value, low, high from reporting.mart_metric where metric_id = 'good_share' and cut = 'question'"
        " and member = 'transactional/csat/csat_overall' and period_month = '2025-01-01'"
    ).fetchall()
    assert (num, den, value) == (good, every, good / every)
    middle = (good + Z * Z / 2) / (every + Z * Z)
    half = Z / (every + Z * Z) * sqrt(good * (every - good) / every + Z * Z / 4)
    assert (low, high) == pytest.approx((middle - half, middle + half), abs=1e-12)
    # csat_rate counts all questions of satisfaction, so it is their sum.
    of_questions = "select sum(top_count), sum(n) from reporting.mart_survey_score where survey_metric = 'csat' and cut = 'all'"
    of_questions += " and period_kind = 'month' and period_start = '2025-01-01' and survey_kind <> 'staff'"
    rate = "select num, den from reporting.mart_metric where metric_id = 'csat_rate' and cut = 'all' and period_month = '2025-01-01'"
    assert scored.execute(rate).fetchall() == scored.execute(of_questions).fetchall()


def test_channels_and_segments_add_up_to_the_question(scored: duckdb.DuckDBPyConnection) -> None:
    cuts = scored.execute(
        "select cut, sum(answers_count), sum(top_count), sum(bottom_count) from reporting.mart_survey_score"
        " where question_key = 'csat_overall' and period_kind = 'month' and period_start = '2025-01-01' and survey_kind <> 'staff'"
        " group by 1 order by 1"
    ).fetchall()
    assert [row[1:] for row in cuts] == [(101, 40, 40)] * 3
    assert score(scored, "csat_overall", "n, top_count", "member = 'sms'") == (66, 26)


@pytest.mark.spec("C03")
def test_product_and_service_are_never_mixed(scored: duckdb.DuckDBPyConnection) -> None:
    """Published intervals of 81 / 263 and 15 / 148 (Newcombe 1998, Table I, Wilson)."""
    for question, num, den, low, high in (("csat_product", 81, 263, 0.2553, 0.3662), ("csat_service", 15, 148, 0.0624, 0.1605)):
        found = score(scored, question, "top_count, n, value, low, high")
        assert found[:3] == (num, den, num / den)
        assert found[3:] == pytest.approx((low, high), abs=5e-5)


@pytest.mark.spec("C54")
def test_of_few_answers_the_counts_and_the_interval_are_published_and_the_share_is_not(scored: duckdb.DuckDBPyConnection) -> None:
    """1 / 29: 0.0061 to 0.1718 (the same table). The version of the question is stored with each answer."""
    found = score(scored, "felt_cared_for", "answers_count, top_count, value, good_share, answer_mean_score, null_reason, low, high")
    assert found[:6] == (29, 1, None, None, None, "n_below_30")
    assert found[6:] == pytest.approx((0.0061, 0.1718), abs=5e-5)
    metric = scored.execute(
        "select num, den, value, null_reason, n, low, high from reporting.mart_metric where metric_id = 'good_share'"
        " and member = 'transactional/csat/felt_cared_for' and period_month = '2025-01-01'"
    ).fetchall()
    assert [row[:5] for row in metric] == [(1, 29, None, "n_below_30", 29)]
    assert metric[0][5:] == pytest.approx((0.0061, 0.1718), abs=5e-5)
    versions = "select distinct question_version from marts.fct_survey_response where question_key = 'felt_cared_for'"
    assert scored.execute(versions).fetchall() == [("2",)]


@pytest.mark.spec("D05")
def test_excellent_is_the_best_answer_and_never_more_than_good(scored: duckdb.DuckDBPyConnection) -> None:
    assert score(scored, "csat_overall", "excellent_share, good_share, dissatisfied_share") == (0.2, 0.4, 0.4)
    over = "select count(*) from reporting.mart_survey_score where highest_count > top_count or middle_count < 0"
    assert scored.execute(over).fetchone() == (0,)


@pytest.mark.spec("C60")
def test_what_customers_think_of_the_value_is_a_mean_with_its_number(scored: duckdb.DuckDBPyConnection) -> None:
    assert score(scored, "value_perception", "answer_mean_score, n, mean_null_reason") == (4.0, 35, None)
    found = "select value, n from reporting.mart_metric where metric_id = 'survey_mean_score' and period_month = '2025-01-01'"
    assert scored.execute(f"{found} and member = 'transactional/other/value_perception'").fetchall() == [(4.0, 35)]


def test_effort_is_the_share_of_5_to_7_and_a_mean(scored: duckdb.DuckDBPyConnection) -> None:
    assert score(scored, "ces_effort", "value, answer_mean_score, n, bottom_count") == (30 / 70, 4.0, 70, 30)


def test_promoters_less_detractors_have_their_interval_and_kinds_are_apart(scored: duckdb.DuckDBPyConnection) -> None:
    """p = .5, d = .2, n = 100: 30 with a standard error of 7.81 (15.31 either way)."""
    value, low, high, n, every = score(
        scored, "nps_recommend", "value, low, high, n, answers_count", "cut = 'all' and survey_kind = 'relationship'"
    )
    assert (round(value, 9), n, every) == (30, 100, 101)
    assert (high - value, value - low) == pytest.approx((15.31, 15.31), abs=5e-3)
    assert score(scored, "nps_recommend", "value, n", "cut = 'all' and survey_kind = 'transactional'") == (-100, 100)


@pytest.mark.spec("E01")
def test_the_acsi_of_published_means_and_weights(scored: duckdb.DuckDBPyConnection) -> None:
    """Means of 8, 7 and 7: 70.983333 with Ohio's weights, 70.370370 with equal ones. Who left an item out is no respondent."""
    for where in ("cut = 'all'", "cut = 'channel' and member = 'email'"):
        value, low, high, n = score(scored, "acsi_index", "value, low, high, n", where)
        assert value == pytest.approx(70.9833333, abs=5e-8)
        assert (low, high) == pytest.approx((70.9833333, 70.9833333), abs=1e-3), "all answered alike"
        assert n == 32
    assert score(scored, "acsi_equal_index", "value")[0] == pytest.approx(70.3703704, abs=5e-8)
    assert score(scored, "acsi_index", "n, value, null_reason", "member = 'growth'")[0] == 31
    assert score(scored, "acsi_index", "n, value, null_reason", "cut = 'segment' and member = 'none'") == (1, None, "n_below_30")
    assert score(scored, "acsi_overall", "n, answer_mean_score")[0] == 34
    quarter = "select value from reporting.mart_survey_score where question_key = 'acsi_index' and period_kind = 'quarter' and cut = 'all'"
    assert scored.execute(f"{quarter} and survey_kind = 'relationship'").fetchone() == pytest.approx((70.9833333,), abs=5e-8)
    metric = "select value, n from reporting.mart_metric where metric_id = 'acsi_score' and period_month = '2025-01-01'"
    assert scored.execute(metric).fetchall() == [pytest.approx((70.9833333, 32), abs=5e-8)]


def test_who_corrects_one_item_of_the_acsi_stays_a_respondent(scored: duckdb.DuckDBPyConnection) -> None:
    found = scored.execute(
        "select period_start::varchar, n, low is null from reporting.mart_survey_score where survey_kind = 'win_loss'"
        " and question_key = 'acsi_index' and period_kind = 'month' and cut = 'all'"
    ).fetchall()
    assert found == [("2025-02-01", 1, True)]
    ((index,),) = scored.execute(
        "select sum(answer_score * case question_key when 'acsi_overall' then 0.3885 when 'acsi_expectation' then 0.3190 else 0.2925 end)"
        " from marts.fct_survey_response where asked_key = 'invitation I' and is_counted"
    ).fetchall()
    assert float(index) == pytest.approx(0.3885 * 10 + 0.3190 + 0.2925)


SCALES = [(1, 5), (0, 10), (1, 7), (0, 100), (1, 10), (0, 1), (1, 4), (-3, 3), (1, 3)]


def test_every_scale_is_split_into_good_middle_and_bad_at_the_same_places(quick: Build, reporting: list[tuple[str, str, str]]) -> None:
    """Each point of each scale under each measure: by fractions in Python, and no point is both good and bad."""
    rows = [
        answer(f"{metric}{low}_{high}_{point}", f"{metric}{low}_{high}", point, survey_metric=metric, scale_min=low, scale_max=high)
        for metric in ("csat", "nps", "ces", "other") for low, high in SCALES for point in range(low, high + 1)
    ]  # fmt: skip
    connection = quick({"survey_responses": rows}, latest_delivery_date="2025-03-01")
    connection.execute("create schema reporting")
    ((sql),) = [sql for name, _, sql in reporting if name == "reporting.mart_survey_score"]
    found = connection.execute(
        f"select question_key, n, highest_count, top_count, middle_count, bottom_count, null_reason from ({sql}) as scores"
        " where cut = 'all' and period_kind = 'month' and top_count is not null"
    ).fetchall()
    limits = {"csat": Fraction(3, 4), "other": Fraction(3, 4), "ces": Fraction(2, 3)}
    expected = {}
    for metric in ("csat", "nps", "ces", "other"):
        for low, high in SCALES:
            points = range(low, high + 1)
            share = {point: Fraction(point - low, high - low) for point in points}
            if metric == "nps":
                good, bad = [point for point in points if point >= 9], [point for point in points if point <= 6]
            else:
                good = [point for point in points if share[point] >= limits[metric]]
                bad = [point for point in points if share[point] <= Fraction(1, 3)]
            counts = (len(points), 1, len(good), len(points) - len(good) - len(bad), len(bad))
            if metric == "nps" and (low, high) != (0, 10):
                expected[f"{metric}{low}_{high}"] = (0, 0, 0, 0, 0, "scale_unknown")
            else:
                expected[f"{metric}{low}_{high}"] = (*counts, "n_below_30" if len(points) < 30 else None)
            assert not set(good) & set(bad) or metric == "nps"
    assert {row[0]: row[1:] for row in found} == expected


def series(reporting: list[tuple[str, str, str]], parameters: str = "0.3885, 0.3190, 0.2925") -> duckdb.DuckDBPyConnection:
    """Build the scores of four quarters from 1,000 respondents each, all three items alike: 74.3, 73.6, none, 73.0, 72.0."""
    connection = duckdb.connect()
    connection.execute("create schema lake; create schema marts; create schema reporting")
    weights = (
        "select * from (values (1, {0})) as t (fiscal_year_start_month, acsi_overall_weight, acsi_expectation_weight, acsi_ideal_weight)"
    )
    connection.execute(f"create table lake.run_parameters as {weights.format(parameters)}")
    connection.execute("create table lake.feed_presence as select 'survey_responses' as feed, true as is_present")
    connection.execute("create table marts.dim_account as select 'a' as account_id, 'core' as segment")
    connection.execute(
        "create table marts.dim_period as select month::date as period_month, month::date as start_date,"
        " date_trunc('quarter', month)::date as quarter_start_date, true as is_complete_quarter, true as is_complete_period,"
        " date '2006-01-01' as as_of_date from range(date '2004-07-01', date '2005-12-01', interval 1 month) as t(month)"
    )
    connection.execute("""
        create table marts.fct_survey_response as
        select
            month || '-' || n as asked_key, item as question_key, null::varchar as question_version, 'relationship' as survey_kind,
            'acsi' as survey_metric,
            'email' as channel, 'a' as account_id, month as period_month, true as is_counted, 1::decimal(9, 4) as scale_min_score,
            10::decimal(9, 4) as scale_max_score,
            (case when n < eights then 8 else 7 end)::decimal(9, 4) as answer_score, 0.5::decimal(9, 4) as answer_share, false as is_top_box
        from (values (date '2004-08-01', 687), (date '2004-11-01', 624), (date '2005-01-01', 570), (date '2005-08-01', 480))
            as months (month, eights)
        cross join range(1000) as people (n) cross join (values ('acsi_overall'), ('acsi_expectation'), ('acsi_ideal')) as items (item)""")
    ((sql),) = [sql for name, _, sql in reporting if name == "reporting.mart_survey_score"]
    connection.execute("create table reporting.mart_survey_score as " + sql.replace('"warehouse".', ""))
    return connection


@pytest.mark.spec("E04")
@pytest.mark.spec("E05")
def test_the_published_fall_of_the_acsi_from_quarter_to_quarter(reporting: list[tuple[str, str, str]]) -> None:
    """74.3, 73.6 and 73.0: down 0.942 % and 0.815 % ("down 0.8 percent"). After a quarter without answers there is no change."""
    found = (
        series(reporting)
        .execute(
            "select value, change_score, 100 * change_rate, change_null_reason, null_reason from reporting.mart_survey_score"
            " where question_key = 'acsi_index' and period_kind = 'quarter' and cut = 'all' order by period_start"
        )
        .fetchall()
    )
    assert [row[0] and round(row[0], 6) for row in found] == [74.3, 73.6, 73.0, None, 72.0, None]
    assert [row[1] and round(row[1], 6) for row in found] == [None, -0.7, -0.6, None, None, None]
    assert [row[2] and round(row[2], 3) for row in found] == [None, -0.942, -0.815, None, None, None]
    assert [row[3] for row in found] == ["no_prior_period", None, None, "no_responses", "no_prior_period", "no_responses"]


def test_without_weights_there_is_no_weighted_index_and_the_equal_one_stays(reporting: list[tuple[str, str, str]]) -> None:
    connection = series(reporting, "null::decimal(9, 4), null::decimal(9, 4), null::decimal(9, 4)")
    for question, expected in (("acsi_index", (None, "weights_absent", 1000)), ("acsi_equal_index", (74.3, None, 1000))):
        found = connection.execute(
            "select round(value, 6), null_reason, n from reporting.mart_survey_score"
            f" where question_key = '{question}' and period_kind = 'month' and period_start = '2004-08-01' and cut = 'all'"
        ).fetchall()
        assert found == [expected]


def test_counts_are_those_of_the_answers_one_by_one(generated_figures: duckdb.DuckDBPyConnection) -> None:
    """Rows made from the contract: every series, period and cut against a loop over the published answers."""
    rows = generated_figures.execute("""
        select cast(period_month as varchar), survey_kind, survey_metric, question_key,
            coalesce(answers.channel, 'none'), coalesce(segment, 'none'),
            scale_min_score, scale_max_score, answer_score
        from marts.fct_survey_response as answers left join marts.dim_account using (account_id) where is_counted""").fetchall()
    expected: dict[tuple[str, ...], list[int]] = {}
    for month, kind, metric, question, channel, segment, low, high, value in rows:
        known = low is not None and high is not None and low < high and (metric != "nps" or (low, high) == (0, 10))
        top = known and (value >= 9 if metric == "nps" else 4 * (value - low) >= 3 * (high - low))
        bottom = known and (value <= 6 if metric == "nps" else 3 * (value - low) <= high - low)
        for cut, member in (("all", "all"), ("channel", channel), ("segment", segment)):
            counts = expected.setdefault((month, kind, metric, question, cut, member), [0, 0, 0, 0])
            for at, holds in enumerate((True, known, top, bottom)):
                counts[at] += bool(holds)
    published = generated_figures.execute(
        "select cast(period_start as varchar), survey_kind, survey_metric, question_key, cut, member,"
        " answers_count, n, top_count, bottom_count"
        " from reporting.mart_survey_score where period_kind = 'month' and top_count is not null"
    ).fetchall()
    assert {row[:6]: list(row[6:]) for row in published} == expected
    assert len(expected) > 10
