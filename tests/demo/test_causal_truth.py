"""The causal truth: the naive contrast is wrong by the written amount, and adjusting for the true confounders finds the truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from demo_company.behaviour import FCR, Behaviour
from demo_company.company import write_company
from demo_company.draws import Draws
from demo_company.effects import episodes

EPISODES = 60_000
NATURAL_DEATHS = 800
"""Per 10,000 episodes: dead of other causes before the horizon."""


def told_problems(seed: int, behaviour: Behaviour) -> dict[str, np.ndarray]:
    """Chains of problems as the desk leaves them, without a desk."""
    draws = Draws(seed, 99)
    zero = np.zeros(EPISODES, dtype=np.int64)
    severity = 1 + draws.choice(EPISODES, behaviour.severity_shares)
    stratum = draws.choice(EPISODES, (2_000, 3_000, 5_000))
    chance = np.array(behaviour.fcr_by_severity)[severity - 1] + np.array(behaviour.fcr_by_stratum)[stratum]
    treated = draws.chance(EPISODES, chance).astype(np.int64)
    later = draws.integers(0, 10_000, EPISODES)
    solved_later = later < np.array(behaviour.later_by_severity)[severity - 1]
    chains = {name: draws.integers(0, 10_000, EPISODES) for name in ("luck_death", "luck_mood")}
    return chains | {
        "event": zero + 1,
        "is_reported": zero + 1,
        "severity": severity,
        "stratum": stratum,
        "treated": treated,
        "propensity": chance,
        "luck_later": later,
        "is_solved": np.where(treated == 1, 1, solved_later.astype(np.int64)),
        "waited_long": draws.chance(EPISODES, 1_500).astype(np.int64),
        "ended_at": zero,
        "_natural_death": np.where(draws.chance(EPISODES, NATURAL_DEATHS), 1, 10**12),
    }


def adjusted(x: np.ndarray, treated: np.ndarray, y: np.ndarray) -> dict[str, tuple[float, float]]:
    """AIPW with both models saturated in x: estimate and standard error of ATE and ATT."""
    cells, place = np.unique(x, return_inverse=True)
    n, n1 = np.bincount(place), np.bincount(place, treated)
    used = ((n1 > 0) & (n1 < n))[place]
    place, treated, y = place[used], treated[used], y[used]
    e = (n1 / n)[place]
    m1 = (np.bincount(place, treated * y, len(cells)) / np.maximum(n1, 1))[place]
    m0 = (np.bincount(place, (1 - treated) * y, len(cells)) / np.maximum(n - n1, 1))[place]
    ate = m1 - m0 + treated * (y - m1) / e - (1 - treated) * (y - m0) / (1 - e)
    share = treated.mean()
    att = (treated * (y - m0) - (1 - treated) * e / (1 - e) * (y - m0)) / share
    centred = att - treated / share * att.mean()
    size = len(y) ** 0.5
    return {"ate": (ate.mean(), ate.std() / size), "att": (att.mean(), centred.std() / size)}


@pytest.mark.parametrize("seed", range(6))
def test_adjusting_for_value_and_severity_finds_the_true_effects_and_the_naive_contrast_does_not(seed: int) -> None:
    behaviour = Behaviour()
    chains = told_problems(seed, behaviour)
    truth = episodes(chains, chains["_natural_death"], behaviour)
    treated = chains["treated"]
    found = adjusted(chains["severity"] * 10 + chains["stratum"], treated, truth["y"])
    ate = (truth["y1"] - truth["y0"]).mean()
    att = (truth["y1"] - truth["y0"])[treated == 1].mean()
    for name, value in (("ate", ate), ("att", att)):
        estimate, error = found[name]
        assert abs(estimate - value) < 3.5 * error, name
    naive = truth["y"][treated == 1].mean() - truth["y"][treated == 0].mean()
    assert naive - att > 5 * found["att"][1]


def test_what_happened_is_the_potential_outcome_of_what_was_done() -> None:
    behaviour = Behaviour()
    chains = told_problems(11, behaviour)
    truth = episodes(chains, chains["_natural_death"], behaviour)
    assert (truth["y"] == np.where(chains["treated"] == 1, truth["y1"], truth["y0"])).all()
    assert (truth["met"][chains["treated"] == 1] == FCR).all()
    assert (truth["y1"] >= truth["y0"]).all()


def test_without_service_effects_nobody_is_lost_to_an_episode() -> None:
    behaviour = Behaviour(service_effects=False)
    chains = told_problems(12, behaviour)
    truth = episodes(chains, chains["_natural_death"], behaviour)
    assert truth["is_fatal"].sum() == 0
    assert (truth["y1"] == truth["y0"]).all()


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("causal")
    return folder, write_company(folder / "landing", 4_000, 8, 3, daily=0)


def column(company: tuple[Path, dict[str, Any]], table: str, name: str) -> np.ndarray:
    return pq.read_table(company[0] / "truth" / f"{table}.parquet", columns=[name])[name].to_numpy()  # type: ignore[no-any-return]


def test_the_written_sums_are_those_of_the_episodes_and_the_naive_contrast_is_off_by_the_confounding(
    company: tuple[Path, dict[str, Any]],
) -> None:
    frame = {name: column(company, "episodes", name) for name in ("treated", "y", "y1", "y0", "ended_at", "severity", "stratum", "chain")}
    last = column(company, "months", "month").max()
    inside = ~np.isnan(frame["treated"].astype(float)) & (frame["ended_at"] < last.astype(np.int64) + 31 * 86_400)
    treated, y, y1, y0 = (frame[name][inside].astype(np.int64) for name in ("treated", "y", "y1", "y0"))
    total = company[1]["causal"]["total"]
    assert (total["episodes"], total["treated"]) == (len(treated), treated.sum())
    assert total["att"] == pytest.approx((y1 - y0)[treated == 1].mean())
    assert total["ate"] == pytest.approx((y1 - y0).mean())
    assert total["naive"] == pytest.approx(y[treated == 1].mean() - y[treated == 0].mean())
    assert total["confounding"] == pytest.approx(y0[treated == 1].mean() - y0[treated == 0].mean())
    assert (y == np.where(treated == 1, y1, y0)).all()
    found = adjusted(frame["severity"][inside] * 10 + frame["stratum"][inside], treated, y)
    for name in ("ate", "att"):
        assert abs(found[name][0] - total[name]) < 3.5 * found[name][1], name


def test_lost_margin_belongs_to_episodes_that_killed_and_nothing_is_delivered_afterwards(company: tuple[Path, dict[str, Any]]) -> None:
    kind, margin = column(company, "orders_lost", "kind"), column(company, "orders_lost", "margin_cents")
    account, at = column(company, "orders_lost", "account"), column(company, "orders_lost", "ordered_at")
    death = column(company, "accounts", "service_death").astype(float)
    natural = column(company, "accounts", "natural_death")
    killed = kind == 0
    assert killed.sum() > 100
    assert (at[killed] >= death[account[killed]]).all()
    assert (at[killed] < natural[account[killed]]).all()
    assert (at[killed] < death[account[killed]] + 365 * 86_400).all()
    assert ((kind == 2) <= ~(at >= np.nan_to_num(death, nan=np.inf)[account])).all()
    total = company[1]["causal"]["total"]
    end = column(company, "months", "month").max().astype(np.int64) + 31 * 86_400
    counted = killed & (death[account] < end)
    assert total["lost_margin"] == margin[counted].sum()


def test_silent_problems_are_those_that_nobody_told(company: tuple[Path, dict[str, Any]]) -> None:
    kinds = company[1]["causal"]["silent_by_problem_kind"]
    total = company[1]["causal"]["total"]
    assert total["affected"] == total["silent"] + total["reported"] == sum(kind["affected"] for kind in kinds.values())
    assert total["silent"] == sum(kind["silent"] for kind in kinds.values())
    assert 0.4 < total["silent"] / total["affected"] < 0.7
