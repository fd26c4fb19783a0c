"""How many agents a queue needs: Erlang C, where everybody waits, and Erlang A, where callers lose patience.

Formulas: load A = calls per second x handling seconds (erlang); Erlang B by the recursion 1/B_k = 1 + (k/A)/B_{k-1};
Erlang C: P(wait) = m B / (m - A (1 - B)), mean wait = P(wait) x handling / (m - A), answered within T =
1 - P(wait) exp(-(m - A) T / handling), for m > A only. Erlang A: the birth-death chain with patience theta (mean seconds until a caller
leaves), in its exact state probabilities.
Sources: Cleveland, Call Center Management on Fast Forward; Gans, Koole, Mandelbaum (2003), M&SOM 5(2); Mandelbaum and Zeltyn (2007).
Units: seconds, calls, agents; shares between 0 and 1. Must not read a table.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

_NEGLIGIBLE = 1e-16
"""A state of the queue less probable than this, relative to the most probable one, ends the sum."""
_LONGEST_STEP, _REST = 500, 1e-14
"""Uniformization: expected events in one piece of time, and what may be left of the sum over their number."""


@dataclass(frozen=True)
class Load:
    """Calls that come in an interval, and how long each is handled; all in seconds but the number of calls."""

    calls: float
    interval_seconds: float
    handle_seconds: float

    def __post_init__(self) -> None:
        if self.calls < 0 or self.interval_seconds <= 0 or self.handle_seconds <= 0:
            raise ValueError(f"{self}: calls must not be negative, seconds must be positive")

    @property
    def erlangs(self) -> float:
        """Agents who would be busy on average if nobody waited."""
        return self.calls / self.interval_seconds * self.handle_seconds


@dataclass(frozen=True)
class Service:
    """What callers meet with a number of agents: shares, and seconds of the mean wait of all callers."""

    agents: int
    wait_share: float
    wait_seconds: float
    within_share: float
    occupancy: float
    abandoned_share: float


def erlang_b(agents: int, erlangs: float) -> float:
    """Return the share of calls that find all agents busy and are turned away."""
    if erlangs == 0:
        return 1.0 if agents == 0 else 0.0
    inverse = 1.0
    for number in range(1, agents + 1):
        inverse = 1.0 + number / erlangs * inverse
        if math.isinf(inverse):
            return 0.0
    return 1.0 / inverse


def erlang_c(load: Load, agents: int, within_seconds: float) -> Service | None:
    """Return what callers meet who wait as long as it takes; None where the queue would grow without end (agents <= load)."""
    idle = agents - load.erlangs
    if idle <= 0:
        return None
    blocked = erlang_b(agents, load.erlangs)
    wait_share = agents * blocked / (agents - load.erlangs * (1 - blocked))
    late_share = wait_share * math.exp(-idle * within_seconds / load.handle_seconds)
    return Service(agents, wait_share, wait_share * load.handle_seconds / idle, 1 - late_share, load.erlangs / agents, 0.0)


def erlang_a(load: Load, agents: int, within_seconds: float, patience_seconds: float) -> Service:
    """Return what callers meet who leave after an exponential time of mean `patience_seconds`.

    `within_share` is the share of all callers who are answered within the time: those who leave first are in no numerator.
    """
    if agents < 1 or patience_seconds <= 0:
        raise ValueError("at least one agent, and a patience above 0 seconds")
    arrival, service, leaving = load.calls / load.interval_seconds, 1 / load.handle_seconds, 1 / patience_seconds
    if arrival == 0:
        return Service(agents, 0.0, 0.0, 1.0, 0.0, 0.0)
    below = erlang_b(agents, load.erlangs)  # the probability of all busy, of states up to `agents`
    weights = [1.0]  # of `agents` busy and 0, 1, 2, … waiting, relative to the first
    while weights[-1] > _NEGLIGIBLE * max(weights) or len(weights) * leaving < arrival - agents * service:
        weights.append(weights[-1] * arrival / (agents * service + len(weights) * leaving))
    first = below / (1 + below * (math.fsum(weights) - 1))
    wait_share = first * math.fsum(weights)
    waiting = first * math.fsum(number * weight for number, weight in enumerate(weights))
    abandoned = leaving * waiting / arrival
    answered_late = _answered_late(weights, first, agents * service, leaving, within_seconds)
    within = 1 - abandoned - answered_late
    return Service(agents, wait_share, waiting / arrival, within, arrival * (1 - abandoned) * load.handle_seconds / agents, abandoned)


def _answered_late(weights: list[float], first: float, busy_rate: float, leaving: float, within_seconds: float) -> float:
    """Return the share of callers who are answered after `within_seconds`: they still wait then, and their patience lasts to the answer."""
    still = _waiting_after([first * weight for weight in weights], busy_rate, leaving, within_seconds)
    return math.fsum(share * busy_rate / (busy_rate + (number + 1) * leaving) for number, share in enumerate(still))


def _waiting_after(ahead: list[float], busy_rate: float, leaving: float, seconds: float) -> list[float]:
    """Return by how many are ahead the share of callers who still wait after some seconds, by uniformization of their chain.

    With n ahead an agent becomes free or one of them leaves at `busy_rate` + n `leaving`; the caller leaves at `leaving`.
    """
    rate = busy_rate + len(ahead) * leaving
    pieces = max(1, math.ceil(rate * seconds / _LONGEST_STEP))
    mean = rate * seconds / pieces
    for _ in range(pieces):
        weight, total, number, stepped = math.exp(-mean), 0.0, 0, ahead
        ahead = [0.0] * len(ahead)
        while total < 1 - _REST and number < 10 * _LONGEST_STEP:
            ahead = [one + weight * other for one, other in zip(ahead, stepped, strict=True)]
            total, number = total + weight, number + 1
            weight *= mean / number
            stepped = [
                here * (1 - (busy_rate + (n + 1) * leaving) / rate) + above * (busy_rate + (n + 1) * leaving) / rate
                for n, (here, above) in enumerate(zip(stepped, [*stepped[1:], 0.0], strict=True))
            ]
    return ahead


def agents_for(
    load: Load, within_seconds: float, share: float, *, patience_seconds: float | None = None, most: int = 10_000
) -> Service | None:
    """Return the service of the fewest agents who answer `share` of all callers within the time; None where `most` do not."""
    if not 0 < share < 1:
        raise ValueError(f"a share of {share} is not between 0 and 1")
    for agents in range(1, most + 1):
        found = (
            erlang_c(load, agents, within_seconds) if patience_seconds is None else erlang_a(load, agents, within_seconds, patience_seconds)
        )
        if found and found.within_share >= share:
            return found
    return None


def positions(agents: int, shrinkage: float) -> int:
    """Return how many must be scheduled so that `agents` take calls while the share `shrinkage` of paid time goes to breaks and absence."""
    if not 0 <= shrinkage < 1:
        raise ValueError(f"a shrinkage of {shrinkage} is not at least 0 and below 1")
    return math.ceil(round(agents / (1 - shrinkage), 9))
