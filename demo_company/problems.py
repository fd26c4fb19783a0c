"""Problems with order lines: the list of known affected, and which of them their customers tell the company."""

from __future__ import annotations

import numpy as np

from demo_company.behaviour import Behaviour
from demo_company.calendar import DAY
from demo_company.codes import CHAT, ISSUE_DEPARTMENT, PROBLEM_ISSUE, PROBLEM_SHARES
from demo_company.customers import Customers
from demo_company.draws import Draws, Integers
from demo_company.files import NULL, Batch, take
from demo_company.workforce import Hours

_CHANNEL_SHARES = (2_700, 4_300, 2_000, 1_000)
_QUIET_LANGUAGES_FROM = 4
_COMPLAINT, _PROBLEM = 2, 4
"""Ticket types."""


class Problems:
    """Running event numbers."""

    def __init__(self, customers: Customers, hours: Hours, behaviour: Behaviour) -> None:
        self._customers, self._hours, self._behaviour = customers, hours, behaviour
        self._next = 0

    def of_lines(self, lines: Batch, month: int, draws: Draws) -> tuple[Batch, Batch, Integers]:
        """Draw the problems of a month's lines, whether or not their orders will turn out to be delivered.

        Returns rows of problem_events, the chains, and when each chain falls due: the first contact, or the problem itself if silent.
        A problem shows on a later day than its order, so that the order's fate is known by then.
        """
        b, c = self._behaviour, self._customers
        rates = np.array(b.problem_rates, dtype=np.int64)[lines["product_family"] % 4]
        counted = (lines["_order_kind"] == 0) & (lines["_is_test"] == 0) & (lines["_order_state"] == 0)
        hit = take(lines, draws.chance(len(rates), rates) & counted)
        count = len(hit["order_id"])
        severity = 1 + draws.choice(count, b.severity_shares)
        kind = draws.choice(count, PROBLEM_SHARES)
        occurred = (hit["_ordered_at"] // DAY + 1) * DAY + draws.integers(6 * 3_600, 13 * DAY, count)
        account = hit["_account"]
        stratum = c.stratum[account]
        chance = np.array(b.complaint, dtype=np.int64)[severity - 1] + np.array(b.complaint_by_stratum, dtype=np.int64)[stratum]
        chance += np.where(c.language[account] >= _QUIET_LANGUAGES_FROM, b.complaint_quiet_language, 0)
        reported = draws.chance(count, chance)
        number = self._next + np.arange(count, dtype=np.int64)
        self._next += count
        issue = np.array(PROBLEM_ISSUE, dtype=np.int64)[kind]
        channel = draws.choice(count, _CHANNEL_SHARES)
        lag = 1_800 + (draws.uniform(count) * draws.uniform(count) * 6 * DAY).astype(np.int64)
        contact_at = occurred + lag
        live = (channel == 1) | (channel == CHAT)
        contact_at = np.where(live, self._hours.into(contact_at, draws.uniform(count)), contact_at)
        detected = draws.choice(count, (8_500, 0, 1_500))
        event = {
            "problem_event_id": number,
            "account_id": hit["_account_id"],
            "order_id": hit["order_id"],
            "line_id": hit["line_id"],
            "product_id": hit["product_id"],
            "problem_kind": kind,
            "severity": severity,
            "estimated_loss_amount": hit["net_amount"] * np.array((0, 20, 50, 100), dtype=np.int64)[severity - 1] // 100,
            "currency_code": hit["_currency_code"],
            "occurred_at": occurred,
            "detected_by": np.where(reported & (detected == 2), 1, detected),
            "_account": account,
            "_parent": hit["_parent"],
        } | {
            f"_line_{name}": hit[name]
            for name in ("order_id", "line_id", "net_amount", "tax_amount", "quantity", "_currency_code", "_goods", "_ordered_at")
        }
        chains = {
            "account": account,
            "contact": c.contact_of(account, draws),
            "ticket_type": np.where(draws.chance(count, 6_000), _COMPLAINT, _PROBLEM),
            "issue": issue,
            "product": hit["product_id"],
            "order": hit["order_id"],
            "line": hit["line_id"],
            "order_place": hit["_parent"],
            "order_month": np.full(count, month, dtype=np.int64),
            "department": np.where(channel == CHAT, 0, np.array(ISSUE_DEPARTMENT, dtype=np.int64)[issue]),
            "channel": channel,
            "severity": severity,
            "stratum": stratum,
            "fcr": np.array(b.fcr_by_severity, dtype=np.int64)[severity - 1] + np.array(b.fcr_by_stratum, dtype=np.int64)[stratum],
            "luck_death": draws.integers(0, 10_000, count),
            "luck_mood": draws.integers(0, 10_000, count),
            "luck_later": draws.integers(0, 10_000, count),
            "is_reported": reported.astype(np.int64),
            "is_quick": np.zeros(count, dtype=np.int64),
            "event": number,
            "session": np.full(count, NULL, dtype=np.int64),
            "occurred_at": occurred,
        }
        return event, chains, np.where(reported, contact_at, occurred)
