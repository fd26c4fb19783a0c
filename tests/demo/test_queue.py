"""The queue of a team's day: against an independent simulation that walks second by second, and against Little's law."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from demo_company.draws import Draws
from demo_company.queue import NOBODY, serve

CLOSE = 600


def walk(
    arrivals: list[int], patience: list[int], work: list[int], shifts: list[tuple[int, int]]
) -> tuple[list[bool], list[int], list[int]]:
    """Second by second: who gives up leaves, then each free agent takes the one who has waited longest."""
    answered, waited, agent_of = [False] * len(arrivals), [0] * len(arrivals), [NOBODY] * len(arrivals)
    waiting: list[int] = []
    free_at = [begin for begin, _ in shifts]
    for now in range(CLOSE + 1):
        waiting += [number for number, arrival in enumerate(arrivals) if arrival == now]
        for agent, (_, end) in sorted(enumerate(shifts), key=lambda item: (free_at[item[0]], item[0])):
            if waiting and free_at[agent] <= now < end:
                number = waiting.pop(0)
                answered[number], waited[number], agent_of[number] = True, now - arrivals[number], agent
                free_at[agent] = now + max(work[number], 1)
        for number in list(waiting):
            if now - arrivals[number] >= min(patience[number], CLOSE - arrivals[number]):
                waiting.remove(number)
                waited[number] = now - arrivals[number]
    return answered, waited, agent_of


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_answers_and_waits_are_those_of_a_walk_through_the_day(data: st.DataObject) -> None:
    count = data.draw(st.integers(0, 14))
    arrivals = sorted(data.draw(st.lists(st.integers(0, CLOSE - 1), min_size=count, max_size=count, unique=True)))
    patience = data.draw(st.lists(st.integers(1, 120), min_size=count, max_size=count))
    work = data.draw(st.lists(st.integers(1, 200), min_size=count, max_size=count))
    begins = data.draw(st.lists(st.integers(0, 200), max_size=3))
    shifts = [(begin, begin + data.draw(st.integers(50, 400))) for begin in begins]
    served, waited = serve(
        np.array(arrivals, dtype=np.int64),
        np.array(patience, dtype=np.int64),
        np.array(work, dtype=np.float64),
        np.array([begin for begin, _ in shifts], dtype=np.int64),
        np.array([end for _, end in shifts], dtype=np.int64),
        np.ones(len(shifts)),
        CLOSE,
    )
    answered, expected, _ = walk(arrivals, patience, work, shifts)
    assert (served != NOBODY).tolist() == answered
    assert waited.tolist() == expected


def busy_day(agents: int, seed: int) -> tuple[np.ndarray, ...]:
    draws = Draws(seed)
    arrivals = np.sort(draws.integers(0, 36_000, 900))
    patience = 1 + (300 * draws.exponential(900)).astype(np.int64)
    work = draws.lognormal(np.full(900, 290.0), 0.65)
    nobody_ends = np.full(agents, 10**6, dtype=np.int64)
    served, waited = serve(arrivals, patience, work, np.zeros(agents, dtype=np.int64), nobody_ends, np.ones(agents), 10**6)
    return arrivals, patience, work, served, waited


def test_no_agent_answers_two_calls_at_once_and_nobody_is_overtaken() -> None:
    arrivals, patience, work, served, waited = busy_day(8, 1)
    answered = served != NOBODY
    start, end = arrivals + waited, arrivals + waited + np.maximum(work.astype(np.int64), 1)
    for agent in range(8):
        mine = np.flatnonzero(served == agent)
        assert (start[mine][1:] >= end[mine][:-1]).all()
    assert (np.diff(start[answered]) >= 0).all()
    assert (waited[~answered] == patience[~answered]).all()
    assert (waited[answered] <= patience[answered]).all()
    assert 20 < (~answered).sum() < 300


def test_little_s_law_holds() -> None:
    arrivals, _, _, _, waited = busy_day(8, 2)
    seconds = np.arange(0, int((arrivals + waited).max()) + 1)
    waiting = np.searchsorted(arrivals, seconds, side="right") - np.searchsorted(np.sort(arrivals + waited), seconds, side="right")
    rate, mean_wait = len(arrivals) / len(seconds), waited.mean()
    assert abs(waiting.mean() - rate * mean_wait) < 1e-9


def test_more_agents_mean_less_waiting_and_fewer_lost_calls() -> None:
    lost, wait = [], []
    for agents in (6, 8, 12, 40):
        _, _, _, served, waited = busy_day(agents, 3)
        lost.append(int((served == NOBODY).sum()))
        wait.append(float(waited.mean()))
    assert lost == sorted(lost, reverse=True)
    assert wait == sorted(wait, reverse=True)
    assert lost[-1] == 0
    assert wait[-1] == 0
