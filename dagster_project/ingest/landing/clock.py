"""Deliveries of a day that has not come: the one place where ingest asks the clock.

A day of delivery decides which version of a record is the latest, how far the calendar reaches and how old every source is, so that one
wrong folder would hold for ever.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from dagster_project.ingest.landing.walking import Delivery, Unread

_RELEASED = dt.date(2026, 11, 29)
"""Day of this version: a clock that shows an earlier one is wrong, and must not make what came today a delivery of the future."""


def latest_day() -> dt.date:
    """Return the last day that a delivery may have: tomorrow in UTC, since east of Greenwich it has begun."""
    return max(dt.datetime.now(dt.UTC).date(), _RELEASED) + dt.timedelta(days=1)


def until_tomorrow(deliveries: Iterable[Delivery], unread: list[Unread]) -> list[Delivery]:
    """Return the deliveries up to tomorrow; the folders of later days go to `unread`."""
    latest, kept, later = latest_day(), [], Counter[Path]()
    for delivery in deliveries:
        if delivery.delivery_date <= latest:
            kept.append(delivery)
        else:
            later[delivery.path.parent] += 1
    for folder, files in later.items():
        reason = f"{folder}: the day of delivery is later than tomorrow, {latest}"
        remedy = "name the folder by the day on which its files came, or set the clock of this machine"
        unread.append(Unread(folder, files, f"{reason}; remedy: {remedy}", is_refused=True, rule="delivery_day"))
    return kept
