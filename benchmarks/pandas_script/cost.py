"""Cost of each ledger line to tickets and interactions by handle time, in whole cents, by largest remainder.

One pass per month: its lines against its objects, each line one vector.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.pandas_script.facts import Facts

TICKET, INTERACTION, TICKET_WORK = 1, 0, 1
_PUBLISHED = ["month", "ticket_id", "interaction_id", "account_id", "department_id", "channel", "seconds", "source"]


@dataclass
class Allocation:
    """Cents per object and cost category, and per month and channel of interactions; rows written."""

    objects: pd.DataFrame
    channels: pd.DataFrame
    rows: dict[str, int]


def work_units(facts: Facts) -> pd.DataFrame:
    """One row per handled interaction, and per ticket and month with work that no interaction measured."""
    tickets, handled = facts.tickets, facts.interactions[facts.interactions["is_handled"]]
    contacts = (
        handled[handled["ticket"] >= 0].groupby("ticket")["handle_seconds"].agg(["count", "size"]).reindex(tickets.index, fill_value=0)
    )
    measured, touched = (contacts[name].to_numpy()[tickets["surviving"]] for name in ("count", "size"))
    is_own = (tickets["surviving"] == tickets.index) & (touched == 0)
    own = tickets[(measured == 0) & (tickets["handle_seconds"].notna() | is_own)]
    own = own.groupby(["work_month", "surviving"])["handle_seconds"].sum(min_count=1).rename("known").reset_index()
    at = own["surviving"].to_numpy()
    columns = ["account", "department_id", "channel"]
    work = (
        tickets[columns]
        .take(at)
        .assign(month=own["work_month"].to_numpy(), kind=TICKET_WORK, unit=at, ticket=at, known=own["known"].to_numpy())
    )
    calls = handled[[*columns, "month", "ticket"]].assign(kind=INTERACTION, unit=handled.index, known=handled["handle_seconds"])
    units = pd.concat([calls, work], ignore_index=True)
    standard = units.groupby(["month", "channel"])["known"].transform("mean").floordiv(1)
    units["seconds"] = units["known"].fillna(standard).fillna(1).astype("int64")
    units["interaction"] = units["unit"].where(units["kind"] == INTERACTION, -1)
    units["source"] = np.where(units["known"].isna(), "standard", np.where(units["kind"] == TICKET_WORK, "reported", "measured"))
    return units


def cost_objects(facts: Facts, units: pd.DataFrame) -> pd.DataFrame:
    """One row per ticket and month with work, and per interaction without a ticket; sorted by month, kind and id."""
    whole = (
        units[units["ticket"] >= 0].groupby(["month", "ticket"], as_index=False).agg(seconds=("seconds", "sum"), source=("source", "max"))
    )
    of_ticket = facts.tickets[["account", "department_id", "channel"]].take(whole["ticket"]).reset_index(drop=True)
    worked = pd.concat([whole, of_ticket], axis=1).assign(kind=TICKET, id=whole["ticket"], interaction=-1)
    alone = units[units["ticket"] < 0].assign(kind=INTERACTION, id=lambda frame: frame["unit"])
    names = ["month", "kind", "id", "ticket", "interaction", "account", "department_id", "channel", "seconds", "source"]
    return pd.concat([alone[names], worked[names]]).sort_values(["month", "kind", "id"], ignore_index=True)


def _named(facts: Facts, frame: pd.DataFrame) -> pd.DataFrame:
    """Add the ids that the positions stand for."""
    return frame.assign(
        ticket_id=facts.tickets["ticket_id"].reindex(frame["ticket"]).array,
        interaction_id=facts.interactions["interaction_id"].reindex(frame["interaction"]).array,
        account_id=pd.Series(facts.account_ids).array.take(frame["account"]),
    )


def largest_remainder(amount: int, weights: np.ndarray) -> np.ndarray:
    """Whole parts of a whole amount in proportion to weights that come heaviest first, equal ones by key."""
    product, total = abs(amount) * weights, weights.sum()
    parts, remainder = np.divmod(product, total)
    left = abs(amount) - parts.sum()
    parts[np.argsort(-remainder, kind="stable")[:left]] += 1
    return parts if amount >= 0 else -parts


def split_inside(amounts: np.ndarray, group: np.ndarray, weights: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """Split the amount of each group over its members, which come group by group, heaviest first."""
    size = np.abs(amounts)[group]
    parts, remainder = np.divmod(size * weights, totals[group])
    left = np.abs(amounts) - np.bincount(group, parts, len(amounts)).astype("int64")
    open_ = np.flatnonzero(left[group] > 0)
    order = open_[np.lexsort((-remainder[open_], group[open_]))]
    first = np.flatnonzero(np.diff(group[order], prepend=-1))
    rank = np.arange(len(order)) - np.repeat(first, np.diff(np.append(first, len(order))))
    parts[order] += rank < left[group[order]]
    return parts * np.sign(amounts)[group]


def allocate(facts: Facts, output: Path) -> Allocation:
    """Write both allocation tables, one Parquet file a month, and return what later tables need."""
    units = work_units(facts)
    objects = cost_objects(facts, units)
    basis = facts.costs[facts.costs["is_in_scope"]].sort_values(["journal_id", "line_number"])
    units, objects = _named(facts, units), _named(facts, objects)
    categories = sorted(basis["cost_category"].unique())
    by_object, by_channel, rows = [], [], {"mart_cost_allocation_ticket": 0, "mart_cost_allocation_interaction": 0}
    unit_months = dict(list(units.groupby("month")))
    for month, here in objects.groupby("month"):
        lines = basis[basis["month"] == month]
        weights, department = here["seconds"].to_numpy(), here["department_id"].to_numpy()
        heaviest = np.argsort(-weights, kind="stable")
        parts = np.zeros((len(lines), len(here)), dtype="int64")
        for part, amount, own in zip(parts, lines["amount"], lines["department_id"], strict=True):
            candidates = heaviest if pd.isna(own) else heaviest[department[heaviest] == own]
            part[candidates] = largest_remainder(amount, weights[candidates])
        place = pd.Series(np.arange(len(here)), pd.MultiIndex.from_frame(here[["kind", "id"]]))
        inner = unit_months[month]
        is_alone = inner["ticket"].to_numpy() < 0
        key = pd.MultiIndex.from_arrays([np.where(is_alone, INTERACTION, TICKET), np.where(is_alone, inner["unit"], inner["ticket"])])
        inner = inner.assign(group=place.reindex(key).to_numpy()).sort_values(
            ["group", "seconds", "kind", "unit"], ascending=[True, False, True, True]
        )
        group, seconds, totals = inner["group"].to_numpy(), inner["seconds"].to_numpy(), np.maximum(weights, 1)
        inside = np.array([split_inside(part, group, seconds, totals) for part in parts]).reshape(len(lines), len(inner))

        stem = f"{pd.Timestamp(month):%Y-%m}.parquet"
        for table, frame, values in (("mart_cost_allocation_ticket", here, parts), ("mart_cost_allocation_interaction", inner, inside)):
            line, at = np.nonzero(values)
            out = (
                frame[_PUBLISHED]
                .take(at)
                .assign(
                    cost_line_id=(lines["journal_id"] + "|" + lines["line_number"]).array.take(line),
                    cost_category=lines["cost_category"].array.take(line),
                    cost_minor=values[line, at],
                )
            )
            (output / table).mkdir(parents=True, exist_ok=True)
            out.to_parquet(output / table / stem, index=False, compression="zstd")
            rows[table] += len(out)
        kinds = lines["cost_category"].to_numpy()
        by_object.append(
            here[["month", "account"]].assign(cost=parts.sum(axis=0), **{name: parts[kinds == name].sum(axis=0) for name in categories})
        )
        talks = inner["kind"].to_numpy() == INTERACTION
        by_channel.append(pd.DataFrame({"month": month, "channel": inner["channel"].to_numpy()[talks], "cost": inside.sum(axis=0)[talks]}))
    channels = pd.concat(by_channel).groupby(["month", "channel"], as_index=False)["cost"].sum()
    return Allocation(pd.concat(by_object, ignore_index=True), channels, rows)
