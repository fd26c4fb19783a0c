"""One team's day at the phone or chat: first come first served, with patience that runs out. Waiting and abandoning arise here."""

from __future__ import annotations

from heapq import heapify, heappop, heapreplace

import numpy as np

from demo_company.draws import Floats, Integers

NOBODY = -1


def serve(
    arrivals: Integers, patience: Integers, work: Floats, begin: Integers, end: Integers, pace: Floats, close: int
) -> tuple[Integers, Integers]:
    """Serve contacts in order of arrival; times in seconds of the day.

    Parameters
    ----------
    arrivals, patience, work
        By contact, arrivals ascending: when it comes, how long it waits at most, how long an ordinary agent needs (no pause between).
    begin, end, pace
        By agent: from when to when contacts are taken (one under way is finished), and the factor on `work`.
    close
        Second at which everyone who still waits is sent away.

    Returns
    -------
    The agent's position for each contact, NOBODY if it went unanswered, and the seconds waited until the answer or until it was given up.
    """
    served = np.full(len(arrivals), NOBODY, dtype=np.int64)
    waited = np.minimum(patience, np.maximum(close - arrivals, 0))
    free = [(int(first), position) for position, first in enumerate(begin)]
    heapify(free)
    last, speed = end.tolist(), pace.tolist()
    for number, (arrival, limit, seconds) in enumerate(zip(arrivals.tolist(), waited.tolist(), work.tolist(), strict=True)):
        while free and max(free[0][0], arrival) >= last[free[0][1]]:
            heappop(free)
        if not free:
            continue
        at, agent = free[0]
        start = max(at, arrival)
        if start - arrival > limit:
            continue
        served[number] = agent
        waited[number] = start - arrival
        heapreplace(free, (start + max(int(seconds * speed[agent]), 1), agent))
    return served, waited
