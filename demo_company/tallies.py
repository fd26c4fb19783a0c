"""What is true of touches, referrals, feedback, changes, rights and how staff feel: counted from the delivered rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from demo_company.calendar import Calendar
from demo_company.codes import STAFF_ITEMS, TOUCH_KINDS, TOUCH_STATES
from demo_company.draws import Flags, Integers
from demo_company.files import NULL, Batch

COUNTS = (
    *("touches_planned", "touches_done", "touches_missed", "glitches_opened", "glitches_closed"),
    *("referrals", "referred_accounts", "organic_referred_accounts", "testimonials"),
    *("feedback_received", "feedback_routed", "feedback_accepted", "changes_shipped"),
)
_GLITCH = TOUCH_KINDS.index("glitch")
_DONE, _MISSED = TOUCH_STATES.index("done"), TOUCH_STATES.index("missed")
_SHOWN_FROM = 5


class Tallies:
    """Running sums; a method counts the feed of its name."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self.counts = {name: np.zeros(calendar.months, dtype=np.int64) for name in COUNTS}
        self._staff: dict[int, dict[str, Integers]] = {}

    def _add(self, name: str, at: Integers, chosen: Flags) -> None:
        month = self._calendar.month_of(at[chosen])
        np.add.at(self.counts[name], month[(month >= 0) & (month < self._calendar.months)], 1)

    def account_touches(self, batch: Batch) -> None:
        """Count by the month for which a touch was planned, in which a mishap was opened or closed."""
        glitch, first, at = batch["touch_kind"] == _GLITCH, batch["_is_first"] == 1, batch["planned_at"]
        self._add("touches_planned", at, ~glitch & first)
        self._add("touches_done", at, ~glitch & (batch["touch_state"] == _DONE))
        self._add("touches_missed", at, ~glitch & (batch["touch_state"] == _MISSED))
        self._add("glitches_opened", at, glitch & first)
        self._add("glitches_closed", batch["done_at"], glitch & ~first)

    def referrals(self, batch: Batch) -> None:
        """Count by the month of the recommendation."""
        at, first, won = batch["referred_at"], batch["_is_first"] == 1, batch["referred_account_id"] != NULL
        self._add("referrals", at, first)
        self._add("referred_accounts", at, won)
        self._add("organic_referred_accounts", at, won & (batch["incentive_amount"] == NULL))
        self._add("testimonials", at, first & (batch["testimonial_url"] != NULL))

    def feedback_items(self, batch: Batch) -> None:
        """Count by the month in which the item was received."""
        for step, name in enumerate(("feedback_received", "feedback_routed", "feedback_accepted")):
            self._add(name, batch["received_at"], batch["_step"] == step)

    def product_changes(self, batch: Batch) -> None:
        """Count by the month of shipping."""
        self._add("changes_shipped", batch["shipped_at"], batch["shipped_at"] != NULL)

    def staff_surveys(self, batch: Batch) -> None:
        """Sum answers and scores of a quarter by item; of teams that may be shown apart."""
        for quarter in np.unique(batch["quarter_start_date"]):
            sums = self._staff.setdefault(int(quarter), {name: np.zeros(len(STAFF_ITEMS), dtype=np.int64) for name in _STAFF})
            here = batch["quarter_start_date"] == quarter
            item, answers, score = (batch[name][here] for name in ("item_key", "answers_count", "mean_score"))
            shown = answers >= _SHOWN_FROM
            np.add.at(sums["answers"], item, answers)
            np.add.at(sums["shown_answers"], item[shown], answers[shown])
            np.add.at(sums["shown_score"], item[shown], (answers * score)[shown])

    def document(self) -> dict[str, Any]:
        """Return the sums by quarter; scores are sums of mean times answers, in 1/10,000."""
        quarters = {str(np.datetime64(quarter, "s").astype("datetime64[D]")): sums for quarter, sums in sorted(self._staff.items())}
        return {
            "staff_answers": {
                quarter: {item: {name: int(values[i]) for name, values in sums.items()} for i, item in enumerate(STAFF_ITEMS)}
                for quarter, sums in quarters.items()
            }
        }


_STAFF = ("answers", "shown_answers", "shown_score")
