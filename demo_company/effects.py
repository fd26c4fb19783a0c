"""The causal law: what an episode does to the account, under what it met and under what it might have met."""

from __future__ import annotations

import numpy as np

from demo_company.behaviour import FCR, LATER, SILENT, UNRESOLVED, Behaviour
from demo_company.calendar import DAY
from demo_company.draws import Flags, Integers
from demo_company.files import NULL, Batch


def dissatisfied(chains: Batch, met: Integers, b: Behaviour) -> Flags:
    """Is the customer dissatisfied, given what the episode met: its luck is below the chance of it."""
    chance = np.array(b.dissatisfied, dtype=np.int64)[met] + b.dissatisfied_long_wait * chains["waited_long"]
    return np.asarray(chains["luck_mood"] < chance)


def death_chance(chains: Batch, met: Integers, b: Behaviour) -> Integers:
    """d: chance per 10,000 that the episode ends the relationship; 0 for what is no problem, and without service effects."""
    if not b.service_effects:
        return np.zeros(len(met), dtype=np.int64)
    severity = np.maximum(chains["severity"], 1) - 1
    base = np.array(b.death, dtype=np.int64)[met, severity] * np.array(b.death_percent_by_stratum, dtype=np.int64)[chains["stratum"]] // 100
    added = b.death_long_wait * chains["waited_long"] + b.death_dissatisfied * dissatisfied(chains, met, b)
    return np.where(chains["event"] == NULL, 0, base + added)


def episodes(chains: Batch, natural_death: Integers, b: Behaviour) -> Batch:
    """Both potential outcomes of ended episodes.

    `met`: FCR, LATER, UNRESOLVED or SILENT. `met_without_fcr`: what it would have met had the first contact not solved it.
    `y1`, `y0`: alive `horizon_days` after the end if solved at the first contact, and if not; other episodes excluded.
    """
    severity = np.maximum(chains["severity"], 1) - 1
    later = (chains["event"] == NULL) | (chains["luck_later"] < np.array(b.later_by_severity, dtype=np.int64)[severity])
    solved = chains["is_solved"] == 1
    met = np.where(chains["is_reported"] == 0, SILENT, np.where(solved, np.where(chains["treated"] == 1, FCR, LATER), UNRESOLVED))
    never = np.where(later, LATER, UNRESOLVED)
    lives = natural_death > chains["ended_at"] + b.horizon_days * DAY
    names = {"fcr": FCR, "later": LATER, "unsolved": UNRESOLVED, "silent": SILENT}
    chance = {name: death_chance(chains, np.full(len(met), a, dtype=np.int64), b) for name, a in names.items()}
    own = death_chance(chains, met, b)
    without = np.where(never == LATER, chance["later"], chance["unsolved"])
    luck = chains["luck_death"]
    return {
        "met": met,
        "met_without_fcr": never,
        "death_chance": own,
        "death_chance_without_fcr": without,
        **{f"death_chance_{name}": values for name, values in chance.items()},
        "is_fatal": (luck < own).astype(np.int64),
        "y": ((luck >= own) & lives).astype(np.int64),
        "y1": ((luck >= chance["fcr"]) & lives).astype(np.int64),
        "y0": ((luck >= without) & lives).astype(np.int64),
        "is_saved": ((met == FCR) & (luck >= own) & (luck < without)).astype(np.int64),
        "is_dissatisfied": dissatisfied(chains, met, b).astype(np.int64),
    }
