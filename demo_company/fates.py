"""What service does to accounts: who leaves because of an episode, who buys less after one, and whom good service kept.

An account is dead from the first of its natural death and the end of its first fatal episode. Its order stream is drawn as if it
were immortal until the natural death; orders after a service death are ghosts, and their margin is what the episode cost.
"""

from __future__ import annotations

import numpy as np

from demo_company.behaviour import Behaviour
from demo_company.calendar import DAY
from demo_company.customers import NEVER, Customers
from demo_company.draws import Flags, Integers
from demo_company.files import NULL

DELIVERED, KILLED, THINNED = range(3)


class _Spells:
    """One span of time per account, opened by an episode; a new episode inside the span only makes it longer if `extend`."""

    def __init__(self, accounts: int, extend: bool) -> None:
        self._extend = extend
        self.start = np.full(accounts, NEVER, dtype=np.int64)
        self.end = np.full(accounts, NEVER, dtype=np.int64)
        self.episode = np.full(accounts, NULL, dtype=np.int64)

    def open(self, accounts: Integers, episodes: Integers, start: Integers, length: int) -> None:
        """Open or extend the spans of distinct accounts."""
        running = (self.start[accounts] <= start) & (start < self.end[accounts])
        if self._extend:
            self.end[accounts[running]] = np.maximum(self.end[accounts[running]], start[running] + length)
        fresh = accounts[~running]
        self.start[fresh], self.end[fresh], self.episode[fresh] = start[~running], start[~running] + length, episodes[~running]

    def covers(self, accounts: Integers, at: Integers) -> Flags:
        """Tell whether the account's span holds the instant."""
        return np.asarray((self.start[accounts] <= at) & (at < self.end[accounts]))


class Fates:
    """Service deaths, thinned spells and saved spells of all accounts."""

    def __init__(self, customers: Customers, behaviour: Behaviour) -> None:
        self._customers, self._behaviour = customers, behaviour
        self.service_death = np.full(customers.count, NEVER, dtype=np.int64)
        self.killer = np.full(customers.count, NULL, dtype=np.int64)
        self.thin = _Spells(customers.count, extend=True)
        self.saved = _Spells(customers.count, extend=False)

    def death(self, accounts: Integers) -> Integers:
        """Instant from which nothing is ordered any more."""
        return np.asarray(np.minimum(self._customers.natural_death[accounts], self.service_death[accounts]))

    def present(self, at: int) -> Flags:
        """Accounts that have joined, live, and are known under their own id at an instant."""
        c = self._customers
        return np.asarray((c.present_from <= at) & (np.minimum(c.natural_death, self.service_death) > at) & (c.merged_at > at))

    def ended(self, accounts: Integers, episodes: Integers, ends: Integers, fatal: Flags, unsolved: Flags, saved: Flags) -> None:
        """Apply the ends of episodes of one day; of two fatal ones the earlier counts."""
        for position in np.flatnonzero(fatal & (ends < self.death(accounts))):
            account = accounts[position]
            if ends[position] < self.service_death[account]:
                self.service_death[account], self.killer[account] = ends[position], episodes[position]
        for spells, chosen, length in (
            (self.thin, unsolved, self._behaviour.thinned_days),
            (self.saved, saved, self._behaviour.margin_days),
        ):
            some = np.flatnonzero(chosen)
            some = some[np.unique(accounts[some], return_index=True)[1]]
            spells.open(accounts[some], episodes[some], ends[some], length * DAY)

    def of_orders(self, accounts: Integers, ordered_at: Integers, luck: Integers) -> Integers:
        """Fate of immortal orders: DELIVERED, KILLED by a fatal episode, or THINNED out by an unsolved one (luck is 0..9,999)."""
        killed = ordered_at >= self.service_death[accounts]
        thinned = self.thin.covers(accounts, ordered_at) & (luck < self._behaviour.thinned)
        return np.where(killed, KILLED, np.where(thinned, THINNED, DELIVERED))

    def watched(self, accounts: Integers, at: Integers) -> Flags:
        """Is an order at the instant still of interest: the account lives, or died of service at most `margin_days` ago."""
        c = self._customers
        limit = np.where(self.service_death[accounts] == NEVER, NEVER, self.service_death[accounts] + self._behaviour.margin_days * DAY)
        return np.asarray((at < c.natural_death[accounts]) & (at < limit))
