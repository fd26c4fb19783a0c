"""Time, training and separations of agents that the product publishes, against the demo company's truth, to the second."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Judge = Callable[[str], dict[str, Any]]
TIMES = ("paid_seconds", "handling_seconds", "available_seconds", "absence_seconds", "overtime_seconds")


@pytest.mark.truth(
    "counts.paid_seconds", "counts.handling_seconds", "counts.available_seconds", "counts.absence_seconds", "counts.overtime_seconds"
)
def test_time_of_agents_by_state_is_what_they_logged(judge: Judge) -> None:
    sums = ", ".join(f"sum({name})" for name in TIMES)
    assert judge(f"select period_month, {sums} from marts.fct_agent_day group by 1") == {}


@pytest.mark.truth("counts.paid_seconds", "counts.handling_seconds", "counts.absence_seconds", "counts.overtime_seconds")
def test_metrics_of_time_are_those_seconds(judge: Judge) -> None:
    ids = ("agent_paid_seconds", "agent_handling_seconds", "agent_absence_seconds", "agent_overtime_seconds")
    sums = ", ".join(f"sum(num) filter (metric_id = '{name}')" for name in ids)
    assert judge(f"select period_month, {sums} from reporting.mart_metric where cut = 'all' group by 1") == {}


@pytest.mark.truth("counts.trainings")
def test_trainings_are_those_delivered(judge: Judge) -> None:
    # The feed also holds trainings of before the company's first month; the truth is of the company's months.
    begun = "period_month >= (select min(period_month) from marts.dim_period where has_tickets)"
    assert judge(f"select period_month, count(*) from marts.fct_training where {begun} group by 1") == {}


@pytest.mark.truth("counts.separations")
def test_separations_are_those_of_the_month_of_the_last_day(judge: Judge) -> None:
    sql = "select period_month, sum(separations_count + trainee_separations_count + transfer_count) from marts.mart_workforce_turnover"
    assert judge(f"{sql} group by 1") == {}


def test_an_agent_has_one_team_on_each_day_worked_and_calls_take_the_time_logged(judged: Any) -> None:
    assert judged.rows("select count(*) from marts.fct_agent_day where paid_seconds is not null and team_id is null") == [(0,)]
    assert judged.rows("select sum(call_difference_seconds), count(*) > 100 from marts.fct_agent_day where call_seconds > 0") == [(0, True)]
