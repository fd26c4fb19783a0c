"""Buying: with seasons and service effects off, a Pareto/NBD fit on the simulated purchases recovers the parameters of the behaviour."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from scipy import special

from demo_company.behaviour import Behaviour
from demo_company.calendar import DAY, Calendar
from demo_company.customers import WEEK, Customers
from demo_company.draws import Draws
from demo_company.fates import Fates
from demo_company.sales import order_rates

PLAIN = Behaviour(seasonality=False, service_effects=False)


def purchases(accounts: int, months: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Repeat purchases x, week of the last one, and weeks seen, of accounts that joined inside the company's time."""
    customers = Customers(accounts, Calendar(date(2026, 10, 31), months, 0), seed, PLAIN)
    fates, edges = Fates(customers, PLAIN), customers.calendar.edges
    count, last = np.zeros(accounts, dtype=np.int64), customers.created_at.copy()
    for month in range(months):
        begin, means = order_rates(customers, int(edges[month]), int(edges[month + 1]), PLAIN)
        draws = Draws(seed, 10, month)
        number = draws.poisson(means)
        who = np.repeat(np.arange(accounts), number)
        at = draws.integers(begin[who], int(edges[month + 1]), len(who))
        alive = fates.watched(who, at)
        np.add.at(count, who[alive], 1)
        np.maximum.at(last, who[alive], at[alive])
    new = customers.join_month >= 0
    seen = (int(edges[-1]) - customers.created_at) / WEEK
    return count[new], ((last - customers.created_at) / WEEK)[new], seen[new]


def log_likelihood(p: np.ndarray, x: np.ndarray, tx: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Pareto/NBD by customer (Fader and Hardie 2005, "A Note on Deriving the Pareto/NBD Model", A0 form)."""
    r, alpha, s, beta = np.exp(p)
    low, high = (r + s + x, s + 1, r + s + x + 1), (r + s + x, r + x, r + s + x + 1)
    a, b, c = low if alpha >= beta else high
    most, gap = max(alpha, beta), abs(alpha - beta)
    one, two = (
        np.log(special.hyp2f1(a, b, c, gap / (most + week))) - (r + s + x) * np.log(most + week) for week in (tx, t)
    )  # the two parts of A0, in logarithms
    survived = -(r + x) * np.log(alpha + t) - s * np.log(beta + t)
    died = np.log(s / (r + s + x)) + one + np.log1p(-np.exp(np.minimum(two - one, -1e-12)))
    return special.gammaln(r + x) - special.gammaln(r) + r * np.log(alpha) + s * np.log(beta) + np.logaddexp(survived, died)


def test_a_founder_who_has_lived_long_is_likely_to_live_on() -> None:
    customers = Customers(40_000, Calendar(date(2026, 10, 31), 12, 0), 5, PLAIN)
    founders = customers.join_month < 0
    age = (customers.calendar.edges[0] - customers.created_at) / DAY
    old, young = founders & (age > 800), founders & (age < 200)
    assert customers.death_rate[old].mean() < 0.7 * customers.death_rate[young].mean()
    expected = PLAIN.lifetime_shape / (PLAIN.lifetime_scale + age[old] / 7)
    assert customers.death_rate[old].mean() == pytest.approx(expected.mean(), rel=0.05)


def test_order_rates_have_the_mean_and_spread_of_their_gamma() -> None:
    customers = Customers(100_000, Calendar(date(2026, 10, 31), 12, 0), 6, PLAIN)
    mean = PLAIN.order_shape / PLAIN.order_scale
    assert customers.order_rate.mean() == pytest.approx(mean, rel=0.02)
    assert customers.order_rate.var() == pytest.approx(mean / PLAIN.order_scale, rel=0.05)
    assert abs(np.corrcoef(customers.order_rate, customers.death_rate)[0, 1]) < 0.02
    assert abs(np.corrcoef(customers.order_rate, customers.value)[0, 1]) < 0.02


@pytest.mark.slow
def test_a_pareto_nbd_fit_recovers_the_parameters() -> None:
    x, tx, t = purchases(100_000, 24, 4)
    truth = np.log([PLAIN.order_shape, PLAIN.order_scale, PLAIN.lifetime_shape, PLAIN.lifetime_scale])

    guess, steps = truth + 0.15, np.eye(4) * 1e-4
    for _ in range(7):  # Fisher scoring with the outer product of the scores
        scores = np.stack([(log_likelihood(guess + step, x, tx, t) - log_likelihood(guess - step, x, tx, t)) / 2e-4 for step in steps])
        covariance = np.linalg.inv(scores @ scores.T)
        guess = guess + np.clip(covariance @ scores.sum(axis=1), -0.3, 0.3)
    errors = np.sqrt(np.diag(covariance))
    assert np.abs(covariance @ scores.sum(axis=1)).max() < 0.02, "the fit has not settled"
    assert (np.abs(guess - truth) < 3 * errors).all(), (np.exp(guess), errors)
    assert (errors < 0.3).all(), errors
