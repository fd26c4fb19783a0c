"""Erlang C against published numbers, Erlang A against its chain solved by linear algebra. Breaks: a staffing plan that is too thin."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.metrics.staffing import Load, agents_for, erlang_a, erlang_b, erlang_c, positions

CALLS = Load(calls=100, interval_seconds=1800, handle_seconds=180)


def test_erlang_c_gives_the_published_example_of_pyworkforce() -> None:
    found = erlang_c(CALLS, 14, 20)
    assert found is not None
    assert found.wait_share == pytest.approx(0.1741319335950498, abs=1e-15)
    assert found.within_share == pytest.approx(0.8883500191794669, abs=1e-15)
    assert found.occupancy == pytest.approx(0.7142857142857143, abs=1e-15)
    assert round(found.wait_seconds, 6) == 7.835937
    levels = [erlang_c(CALLS, agents, 20) for agents in (13, 12, 11)]
    assert [level and round(level.within_share, 6) for level in levels] == [0.795595, 0.640158, 0.389614]
    needed = agents_for(CALLS, 20, 0.8)
    assert needed is not None
    assert (needed.agents, positions(needed.agents, 0.3)) == (14, 20)


def test_erlang_c_gives_mitans_example() -> None:
    load = Load(360, 1800, 240)
    found = erlang_c(load, 55, 15)
    assert found is not None
    assert load.erlangs == pytest.approx(48)
    assert [round(value, 6) for value in (found.occupancy, found.wait_share, found.within_share)] == [0.872727, 0.238701, 0.845883]
    assert round(found.wait_seconds, 3) == 8.184


def test_erlang_c_says_nothing_where_the_queue_grows_without_end() -> None:
    assert CALLS.erlangs == 10
    assert erlang_c(CALLS, 10, 20) is None
    assert erlang_c(CALLS, 11, 20) is not None
    assert agents_for(CALLS, 20, 0.8, most=13) is None


def test_erlang_b_is_the_textbooks_quotient() -> None:
    for agents, erlangs in ((0, 2.0), (1, 1.0), (5, 3.0), (30, 20.0)):
        terms = [erlangs**k / math.factorial(k) for k in range(agents + 1)]
        assert erlang_b(agents, erlangs) == pytest.approx(terms[-1] / sum(terms), rel=1e-12)
    assert erlang_b(3000, 1.0) == 0.0
    assert (erlang_b(0, 0.0), erlang_b(4, 0.0)) == (1.0, 0.0)


def solved(load: Load, agents: int, within: float, patience: float, size: int = 220) -> tuple[float, float, float]:
    """Abandoned, waiting and answered within the time, by the generator of the chain and its matrix exponential in numpy."""
    arrival, service, leaving = load.calls / load.interval_seconds, 1 / load.handle_seconds, 1 / patience
    rates = np.zeros((size, size))
    for state in range(size - 1):
        rates[state, state + 1] = arrival
        rates[state + 1, state] = min(state + 1, agents) * service + max(state + 1 - agents, 0) * leaving
    rates -= np.diag(rates.sum(axis=1))
    stationary = np.linalg.lstsq(np.vstack([rates.T, np.ones(size)]), np.append(np.zeros(size), 1.0), rcond=None)[0]
    waiting = size - agents
    tagged = np.zeros((waiting + 1, waiting + 1))  # how many are ahead of a caller; the last state: answered
    for ahead in range(waiting):
        tagged[ahead, waiting if ahead == 0 else ahead - 1] += agents * service + ahead * leaving
        tagged[ahead, ahead] = -(agents * service + (ahead + 1) * leaving)
    squarings = 30
    step = np.eye(waiting + 1) + tagged * within / 2**squarings + (tagged * within / 2**squarings) @ (tagged * within / 2**squarings) / 2
    after = np.linalg.matrix_power(step, 2**squarings)
    answered = stationary[:agents].sum() + stationary[agents:] @ after[:waiting, waiting]
    abandoned = leaving * (stationary[agents:] @ np.arange(waiting)) / arrival
    return float(abandoned), float(stationary[agents:].sum()), float(answered)


@pytest.mark.parametrize(
    ("calls", "agents", "patience"), [(100, 14, 180.0), (100, 10, 60.0), (100, 6, 120.0), (20, 1, 30.0), (200, 22, 600.0)]
)
def test_erlang_a_is_its_birth_death_chain(calls: int, agents: int, patience: float) -> None:
    load = Load(calls, 1800, 180)
    found = erlang_a(load, agents, 20, patience)
    abandoned, wait, within = solved(load, agents, 20, patience)
    assert found.abandoned_share == pytest.approx(abandoned, abs=1e-9)
    assert found.wait_share == pytest.approx(wait, abs=1e-9)
    assert found.within_share == pytest.approx(within, abs=1e-7)
    assert found.occupancy == pytest.approx(load.erlangs * (1 - abandoned) / agents, abs=1e-9)


def test_with_endless_patience_erlang_a_becomes_erlang_c() -> None:
    without, with_patience = erlang_c(CALLS, 14, 20), erlang_a(CALLS, 14, 20, 1e9)
    assert without is not None
    for name in ("wait_share", "wait_seconds", "within_share", "occupancy"):
        assert getattr(with_patience, name) == pytest.approx(getattr(without, name), rel=1e-5), name
    assert with_patience.abandoned_share < 1e-7


@settings(max_examples=60)
@given(calls=st.floats(1, 300), handle=st.floats(30, 600), within=st.floats(1, 120), patience=st.floats(10, 600), agents=st.integers(1, 60))
def test_one_agent_more_never_makes_callers_wait_longer(calls: float, handle: float, within: float, patience: float, agents: int) -> None:
    load = Load(calls, 1800, handle)
    fewer, more = (erlang_a(load, count, within, patience) for count in (agents, agents + 1))
    assert more.within_share >= fewer.within_share - 1e-9
    assert more.abandoned_share <= fewer.abandoned_share + 1e-9
    for one in (fewer, more):
        assert -1e-9 <= one.within_share <= 1 + 1e-9
        assert one.wait_seconds == pytest.approx(one.abandoned_share * patience, rel=1e-9)
        assert one.occupancy <= 1 + 1e-9


def test_what_is_no_load_no_share_and_no_shrinkage_is_refused() -> None:
    for wrong in ((-1, 1800, 180), (1, 0, 180), (1, 1800, 0)):
        with pytest.raises(ValueError, match="seconds must be positive"):
            Load(*wrong)
    for call in (
        lambda: agents_for(CALLS, 20, 1.0),
        lambda: positions(10, 1.0),
        lambda: erlang_a(CALLS, 0, 20, 60),
        lambda: erlang_a(CALLS, 3, 20, 0),
    ):
        with pytest.raises(ValueError, match=r"share|shrinkage|at least one agent"):
            call()
    assert erlang_a(Load(0, 1800, 180), 1, 20, 60).within_share == 1
