"""The demo's own logarithm, exponential and distributions against scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from demo_company.draws import Draws
from demo_company.exact import exp, log

COUNT = 60_000
LEAST_P = 1e-4
"""Fixed seeds: these tests fail when the law is wrong, never by chance of a run."""


@given(st.floats(min_value=1e-300, max_value=1e300))
def test_the_logarithm_is_that_of_scipy(x: float) -> None:
    ours, theirs = float(log(np.array([x]))[0]), float(special.xlogy(1.0, x))
    assert abs(ours - theirs) <= 1e-12 * max(abs(theirs), 1e-3)


@given(st.floats(min_value=-690, max_value=690))
def test_the_exponential_is_that_of_scipy(x: float) -> None:
    ours, theirs = float(exp(np.array([x]))[0]), float(special.expm1(x) + 1.0) if x > 30 else float(np.exp(x))
    assert abs(ours - theirs) <= 1e-12 * theirs


@pytest.mark.parametrize(
    ("drawn", "law"),
    [
        (Draws(1).normal(COUNT), stats.norm()),
        (Draws(2).exponential(COUNT), stats.expon()),
        (Draws(3).gamma(0.3, COUNT), stats.gamma(0.3)),
        (Draws(4).gamma(0.8, COUNT), stats.gamma(0.8)),
        (Draws(5).gamma(7.5, COUNT), stats.gamma(7.5)),
        (Draws(6).lognormal(np.full(COUNT, 300.0), 0.65), stats.lognorm(0.65, scale=300.0)),
    ],
    ids=["normal", "exponential", "gamma 0.3", "gamma 0.8", "gamma 7.5", "lognormal"],
)
def test_draws_follow_their_law(drawn: np.ndarray, law: stats.rv_continuous) -> None:
    assert stats.kstest(drawn, law.cdf).pvalue > LEAST_P


@pytest.mark.parametrize("mean", [0.2, 1.3, 9.0, 50.0])
def test_poisson_counts_follow_their_law(mean: float) -> None:
    counts = Draws(7).poisson(np.full(COUNT, mean))
    law = stats.poisson(mean)
    edges = np.arange(int(law.ppf(0.001)), int(law.ppf(0.999)) + 1)
    observed = np.array([(counts <= edges[0]).sum(), *((counts == k).sum() for k in edges[1:-1]), (counts >= edges[-1]).sum()])
    expected = np.array([law.cdf(edges[0]), *law.pmf(edges[1:-1]), law.sf(edges[-1] - 1)]) * COUNT
    assert stats.chisquare(observed, expected * observed.sum() / expected.sum()).pvalue > LEAST_P


def test_a_poisson_of_mean_nothing_is_nothing() -> None:
    assert Draws(8).poisson(np.zeros(5)).tolist() == [0] * 5


def test_an_order_has_every_position_once() -> None:
    assert sorted(Draws(9).order(1_000).tolist()) == list(range(1_000))
