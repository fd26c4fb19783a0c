"""What each ticket, contact, customer and channel cost: each cost line spread over the work of its month, in whole minor units.

No code of the product is used. Written from decisions 11 (two levels, largest remainder, times that nobody measured) and 31 (what is cost,
deleted tickets) and docs/finance.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from math import floor
from typing import Any

import pandas as pd

from tests.recomputed.company import Company

NON_CUSTOMER, UNALLOCATED = "NON_CUSTOMER", "UNALLOCATED"
SHIFT, SHIFTS_OF_A_TICKET = 28_800, 5
TIMES = ("talk_seconds", "hold_seconds", "wrap_seconds")
CATEGORIES = ["people", "it", "facilities", "other"]


@dataclass(frozen=True)
class Bearer:
    """What a cost line is spread over first: a surviving ticket, or a contact without a ticket."""

    is_ticket: bool
    account: str
    department: str
    channel: str


@dataclass(frozen=True)
class Piece:
    """What a bearer's share is spread over: its handled contacts in the month, and work on the ticket itself."""

    key: str
    bearer: str
    is_contact: bool
    month: str
    channel: str
    seconds: int | None
    is_measured: bool = False


def shared(amount: int, weights: Mapping[str, int]) -> dict[str, int]:
    """Spread whole units by the largest remainder: of equal claims the larger weight first, then in the order given."""
    total = sum(weights.values())
    exact = {key: Fraction(abs(amount) * weight, total) for key, weight in weights.items()}
    given = {key: floor(part) for key, part in exact.items()}
    by_claim = sorted(weights, key=lambda key: (given[key] - exact[key], -weights[key]))
    for key in by_claim[: abs(amount) - sum(given.values())]:
        given[key] += 1
    return {key: part if amount > 0 else -part for key, part in given.items()}


def _mean(times: list[int]) -> int | None:
    return sum(times) // len(times) if times else None


class Allocated:
    """The cost of a company by bearer and by piece of work."""

    def __init__(self, company: Company) -> None:
        self.company = company

    @cached_property
    def _tickets(self) -> dict[str, dict[str, str]]:
        """Tickets by id; `month` is that of work on the ticket itself: solved last, else closed, else created."""
        table = self.company.latest("tickets", with_deleted=True)
        at = table["last_solved_at"].where(table["last_solved_at"] != "", table["closed_at"])
        table = table.assign(account=self.company.account(table), month=self.company.month(at.where(at != "", table["created_at"])))
        return {row["ticket_id"]: row for row in table.to_dict("records")}

    def _is_deleted(self, ticket: str) -> bool:
        return self._tickets[ticket]["is_deleted"] == "true" or self._tickets[ticket]["ticket_state"] == "deleted"

    @cached_property
    def _contacts(self) -> list[dict[str, Any]]:
        """Handled contacts with the ticket that bears their cost, "" where nobody knows it."""
        table = self.company.latest("interactions").sort_values("interaction_id")
        table = table.assign(account=self.company.account(table), month=self.company.month(table["started_at"]))
        tickets = [self.company.surviving_ticket(ticket) if ticket in self._tickets else "" for ticket in table["ticket_id"]]
        rows = table.assign(ticket=tickets).to_dict("records")
        return [row for row in rows if row["outcome"] == "answered" or Decimal(row["talk_seconds"] or 0) > 0]

    @cached_property
    def bearers(self) -> dict[str, Bearer]:
        found = {
            key: Bearer(True, NON_CUSTOMER if row["ticket_state"] == "spam" else row["account"], row["department_id"], row["channel"])
            for key, row in self._tickets.items()
        }
        alone = [row for row in self._contacts if not row["ticket"]]
        found |= {row["interaction_id"]: Bearer(False, row["account"], row["department_id"], row["channel"]) for row in alone}
        return found | {UNALLOCATED: Bearer(False, UNALLOCATED, "", "")}

    def _known(self) -> Iterator[Piece]:
        """Work with the time that was measured or reported on its ticket, or none."""
        contacts: dict[str, list[Piece]] = defaultdict(list)
        measured: dict[str, int] = {}
        for row in self._contacts:
            times = [Decimal(row[name]) for name in TIMES if row[name]]
            worked = floor(sum(times) / Decimal(row["concurrency"] or 1))
            measured |= {row["ticket"]: measured.get(row["ticket"], 0) + worked} if times else {}
            seconds = min(worked, SHIFT) if times else None
            key = row["interaction_id"]
            contacts[row["ticket"]].append(Piece(key, row["ticket"] or key, True, row["month"], row["channel"], seconds, bool(times)))
        yield from contacts.pop("", [])
        reported: dict[str, dict[str, int]] = {
            ticket: defaultdict(int) for ticket in self._tickets if self.company.surviving_ticket(ticket) == ticket
        }
        is_reported = set[str]()
        for ticket, row in sorted(self._tickets.items(), key=lambda of: (of[1]["month"], of[0])):
            if row["handle_seconds"]:
                surviving, seconds = self.company.surviving_ticket(ticket), min(int(row["handle_seconds"]), SHIFT * SHIFTS_OF_A_TICKET)
                is_reported.add(surviving)
                if row.get("is_handle_time_total") == "true" and surviving in measured:  # which is in it: taken off, of the earliest first
                    taken = min(seconds, measured[surviving])
                    measured[surviving] -= taken
                    seconds -= taken
                    if not seconds:
                        continue
                reported[surviving][row["month"]] += seconds
        for ticket, by_month in reported.items():
            if self._is_deleted(ticket):
                continue
            row, of_ticket = self._tickets[ticket], contacts[ticket]
            unmeasured = {piece.key: 1 for piece in of_ticket if not piece.is_measured}
            is_known = ticket in is_reported
            spread = shared(sum(by_month.values()), unmeasured) if unmeasured and is_known else {}
            yield from (replace(piece, seconds=spread.get(piece.key, piece.seconds)) for piece in of_ticket)
            own: dict[str, int | None] = {} if unmeasured else {**by_month}
            for month, seconds in (own if of_ticket or is_known else {row["month"]: None}).items():
                yield Piece(ticket, ticket, False, month, row["channel"], seconds)

    @cached_property
    def pieces(self) -> list[Piece]:
        """Work with its weight: a time that nobody knows is the mean of what is known of its month, the nearest first."""
        pieces, times = list(self._known()), defaultdict[tuple[str, ...], list[int]](list)
        for piece in pieces:
            is_customer = self.bearers[piece.bearer].account != NON_CUSTOMER
            if piece.seconds is not None:
                of_measured = [("channel", piece.month, piece.channel), ("month", piece.month)]
                for key in [
                    *of_measured * (piece.is_measured and is_customer),
                    *[("customer", piece.month)] * is_customer,
                    ("any", piece.month),
                ]:
                    times[key].append(piece.seconds)

        def weight(piece: Piece) -> int:
            nearest = [("channel", piece.month, piece.channel), *((kind, piece.month) for kind in ("month", "customer", "any"))]
            means = (mean for key in nearest if (mean := _mean(times[key])) is not None)
            return piece.seconds if piece.seconds is not None else next(means, 1)

        return [replace(piece, seconds=weight(piece)) for piece in sorted(pieces, key=lambda piece: (not piece.is_contact, piece.key))]

    @cached_property
    def _weights(self) -> dict[str, dict[str, dict[str, int]]]:
        """Seconds by month, bearer and piece; bearers in the order of their keys, contacts before work on the ticket itself."""
        found: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
        for piece in sorted(self.pieces, key=lambda piece: piece.bearer):
            found[piece.month][piece.bearer][piece.key] = piece.seconds or 0
        return found

    @cached_property
    def of_bearers(self) -> pd.DataFrame:
        """Minor units by cost line and bearer: a line with a department goes to that department's bearers, one without to all."""
        rows = []
        for line in self.company.cost_lines.itertuples():
            weights = {
                bearer: sum(pieces.values())
                for bearer, pieces in self._weights[line.month].items()
                if line.department in ("", self.bearers[bearer].department)
            }
            parts = shared(line.amount, weights) if any(weights.values()) else {UNALLOCATED: line.amount}
            of_line = (line.month, line.line, line.entity, line.category, line.pool)
            rows += [(*of_line, bearer, weights.get(bearer, 0), cost) for bearer, cost in parts.items() if cost]
        table = pd.DataFrame(rows, columns=["month", "line", "entity", "category", "pool", "bearer", "weight", "cost"])
        names = pd.DataFrame([vars(self.bearers[bearer]) for bearer in table["bearer"]])
        return pd.concat([table, names], axis=1)

    @cached_property
    def of_pieces(self) -> pd.DataFrame:
        """Minor units by cost line and piece of work: the share of each bearer, spread once more."""
        rows, channels = [], {piece.key: piece.channel for piece in self.pieces}
        contacts = {piece.key for piece in self.pieces if piece.is_contact}
        for share in self.of_bearers.itertuples():
            weights = {UNALLOCATED: 0} if share.bearer == UNALLOCATED else self._weights[share.month][share.bearer]
            parts = shared(share.cost, weights) if share.weight else {UNALLOCATED: share.cost}
            of_share = (share.month, share.line, share.bearer, share.account, share.department)
            rows += [(*of_share, key, channels.get(key, ""), key in contacts, weights[key], cost) for key, cost in parts.items() if cost]
        names = ["month", "line", "bearer", "account", "department", "key", "channel", "is_contact", "weight", "cost"]
        return pd.DataFrame(rows, columns=names)

    def accounts(self) -> pd.DataFrame:
        """Service cost by account and month, whole and by category."""
        parts = self.of_bearers.pivot_table(index=["account", "month"], columns="category", values="cost", aggfunc="sum", fill_value=0)
        return parts.assign(service=parts.sum(axis=1))[["service", *CATEGORIES]]

    def reconciled(self) -> pd.DataFrame:
        """By month, entity, category and pool: cost of customers, of nobody's work and of spam."""
        account = self.of_bearers["account"]
        kind = account.map({UNALLOCATED: "unallocated", NON_CUSTOMER: "non_customer"}).fillna("allocated")
        keys, table = ["month", "entity", "category", "pool"], self.of_bearers.assign(kind=kind)
        found = table.pivot_table(index=keys, columns="kind", values="cost", aggfunc="sum", fill_value=0)
        return found.reindex(columns=["allocated", "unallocated", "non_customer"], fill_value=0)

    def contacts(self) -> pd.Series:
        """Handled contacts of customers by month and channel."""
        rows = [vars(piece) for piece in self.pieces if piece.is_contact and self.bearers[piece.bearer].account != NON_CUSTOMER]
        return pd.DataFrame(rows).groupby(["month", "channel"]).size()

    def unit_costs(self) -> pd.Series:
        """Cost by month, kind of unit and channel, of customers only; `all` sums the channels, a unit of sales bears all cost."""
        tickets, contacts = self.of_bearers.query("is_ticket"), self.of_pieces.query("is_contact")
        kinds = {"ticket_closed": tickets, "ticket_created": tickets, "interaction": contacts, "call": contacts.query("channel == 'phone'")}
        parts = [table[table["account"] != NON_CUSTOMER].assign(unit=unit) for unit, table in kinds.items()]
        sums = [self.of_bearers.assign(unit="sales_unit", channel="all"), *parts, *(part.assign(channel="all") for part in parts)]
        return pd.concat(sums).groupby(["month", "unit", "channel"])["cost"].sum()

    def unit_costs_in_detail(self) -> pd.DataFrame:
        """Cost, and the part of it that varies with volume, by month, kind of unit, channel, department, queue and issue family."""
        queues = {row["interaction_id"]: row["queue"] for row in self._contacts}
        issues = {ticket: row["issue_family"] for ticket, row in self._tickets.items()}
        tickets, contacts = self.of_bearers.query("is_ticket"), self.of_pieces.query("is_contact")
        tickets = tickets.assign(queue="", issue=tickets["bearer"].map(issues))
        contacts = contacts.assign(queue=contacts["key"].map(queues), issue="")
        kinds = {"ticket_closed": tickets, "ticket_created": tickets, "interaction": contacts, "call": contacts.query("channel == 'phone'")}
        table = pd.concat([part[part["account"] != NON_CUSTOMER].assign(unit=unit) for unit, part in kinds.items()])
        lines = self.company.cost_lines
        varies = table["line"].isin(lines["line"][lines["behaviour"] == "variable"])
        keys = ["month", "unit", "channel", "department", "queue", "issue"]
        return table.assign(variable=table["cost"] * varies).groupby(keys)[["cost", "variable"]].sum()
