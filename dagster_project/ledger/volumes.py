"""What the ledger tells over many deliveries: unusual volumes, stale sources, records that wait in quarantine.

Holds questions to the ledger and the wording of what is found; nothing here stops a run. It must not read a delivered file, and it
knows no clock: the present is the latest day of delivery, or the day up to which the run reads.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from dagster_project.contracts.model import feeds, load_contract
from dagster_project.ledger.store import OF_SOURCES, Ledger

SPREADS = 4  # median absolute deviations from the median, of logarithms; domain 5.14
SAME_WEEKDAYS, ENOUGH_WEEKDAYS = 8, 5  # compared with, and needed of, the same weekday
RECENT_DAYS, ENOUGH_DAYS = 28, 6  # compared with, and needed of, any weekday while a stream is young
_WINDOW_DAYS = 70
_VOLUMES = f"""
select system, stream, delivery_date, sum(physical)
from deliveries as d
where delivery_date >= ? and {OF_SOURCES} and (
    (status = 'staged' and run_id = ?)
    or (status = 'accepted' and not exists (
        select 1 from deliveries as n where n.path = d.path and n.status = 'staged' and n.run_id = ?
    ))
)
group by system, stream, delivery_date
"""
_STAGED = (
    "select distinct system, stream, delivery_date from deliveries"
    f" where status = 'staged' and run_id = ? and duplicate_of is null and {OF_SOURCES}"
)
_DELIVERED = f"""
select b.feed, max(d.delivery_date)
from deliveries as d inner join batches as b on b.file_id = coalesce(d.duplicate_of, d.file_id)
where d.{OF_SOURCES} and (d.status in ('accepted', 'duplicate') or (d.status = 'staged' and d.run_id = ?))
group by b.feed
"""
_OPEN = """
with arriving as (select file_id, path from deliveries where status = 'staged' and run_id = ?)

select feed, count(*), min(first_seen_date)
from quarantine_life
where quarantine_state = 'open'
    and (status = 'refused' or file_id in (select file_id from arriving)
        or (status = 'accepted' and path not in (select path from arriving)))
    and quarantine_id not in (select quarantine_id from resolutions inner join arriving using (file_id))
group by feed order by min(first_seen_date), feed
"""


@dataclass(frozen=True)
class Volume:
    """Records of one delivery day of a stream against the median, the lowest and the highest usual number."""

    system: str
    stream: str
    delivery_date: str
    physical: int
    usual: int
    lowest: int
    highest: int
    days: int


@dataclass(frozen=True)
class Freshness:
    """Latest delivery of a feed against the latest of all; `maximum_age_days` is None where its contract promises nothing."""

    feed: str
    last_delivery_date: str
    age_days: int
    maximum_age_days: int | None

    @property
    def is_stale(self) -> bool:
        """Whether the feed is older than its contract allows."""
        return self.maximum_age_days is not None and self.age_days > self.maximum_age_days


def watch(ledger: Ledger, run_id: str, until: str | None) -> list[str]:
    """Judge what this run staged, keep unusual volumes in the ledger, and return what there is to report."""
    judged = ledger.rows(_STAGED, (run_id,))
    unusual = _volumes(ledger, run_id, judged)
    ledger.keep_volumes(run_id, judged, [tuple(vars(volume).values()) for volume in unusual])
    stale = [entry for entry in freshness(ledger, run_id, until) if entry.is_stale]
    return [*_volume_messages(unusual), *map(_stale_message, stale), *_open_messages(ledger, run_id, until)]


def freshness(ledger: Ledger, run_id: str = "", until: str | None = None) -> list[Freshness]:
    """Return the age of every delivered feed, in days before the latest delivery of any feed, or before `until`."""
    delivered = {feed: day for feed, day in ledger.rows(_DELIVERED, (run_id,)) if feed in feeds()}
    present = until or max(delivered.values(), default="")
    return [
        Freshness(feed, day, (dt.date.fromisoformat(present) - dt.date.fromisoformat(day)).days, load_contract(feed).maximum_age_days)
        for feed, day in sorted(delivered.items())
    ]


def usual_volume(days: Mapping[dt.date, int], day: dt.date) -> tuple[int, int, int, int] | None:
    """Return the median, the lowest and highest usual number of records and how many days it rests on; None while there are too few.

    Days of the same weekday are compared; a young stream is compared with all its recent days. The spread is that of the logarithms,
    so that a tenth is as far from the usual as the tenfold; it is never taken as less than one over the root of the median, by which
    a count scatters by chance alone.
    """
    before = sorted(other for other in days if other < day)
    history = [days[other] for other in before if other.weekday() == day.weekday() and (day - other).days <= _WINDOW_DAYS]
    history = history[-SAME_WEEKDAYS:]
    if len(history) < ENOUGH_WEEKDAYS:
        history = [days[other] for other in before if (day - other).days <= RECENT_DAYS]
        if len(history) < ENOUGH_DAYS:
            return None
    logs = [math.log1p(value) for value in history]
    middle = median(logs)
    spread = median(abs(value - middle) for value in logs)
    away = SPREADS * max(spread, 1 / math.sqrt(max(median(history), 1)))
    low, high = math.expm1(max(middle - away, 0)), math.expm1(middle + away)
    return round(median(history)), math.ceil(low), math.floor(high), len(history)


def _volumes(ledger: Ledger, run_id: str, judged: list[tuple[str, str, str]]) -> list[Volume]:
    if not judged:
        return []
    since = dt.date.fromisoformat(min(day for *_, day in judged)) - dt.timedelta(days=_WINDOW_DAYS)
    volumes: dict[tuple[str, str], dict[dt.date, int]] = defaultdict(dict)
    for system, stream, day, physical in ledger.rows(_VOLUMES, (since.isoformat(), run_id, run_id)):
        volumes[system, stream][dt.date.fromisoformat(day)] = physical
    found = []
    for system, stream, text in sorted(judged):
        day = dt.date.fromisoformat(text)
        days = volumes[system, stream]
        usual = usual_volume(days, day)
        if usual is not None and not usual[1] <= days[day] <= usual[2]:
            found.append(Volume(system, stream, text, days[day], *usual))
    return found


def _volume_messages(unusual: list[Volume]) -> list[str]:
    streams: dict[tuple[str, str], list[Volume]] = defaultdict(list)
    for volume in unusual:
        streams[volume.system, volume.stream].append(volume)
    lines = []
    for (system, stream), found in streams.items():
        most = max(found, key=lambda volume: abs(math.log1p(volume.physical) - math.log1p(volume.usual)))
        several = "" if len(found) == 1 else f"{len(found):,} days, most of all "
        lines.append(
            f"unusual volume: {system}/{stream}: {several}{most.delivery_date} brings {most.physical:,} records,"
            f" usual are {most.usual:,} ({most.lowest:,} to {most.highest:,}); see ops.unusual_volumes"
        )
    return lines


def _stale_message(entry: Freshness) -> str:
    return (
        f"stale source: {entry.feed} was last delivered on {entry.last_delivery_date}, {entry.age_days:,} days ago; its contract allows"
        f" {entry.maximum_age_days}; see ops.feed_freshness"
    )


def _open_messages(ledger: Ledger, run_id: str, until: str | None) -> list[str]:
    found = ledger.rows(_OPEN, (run_id,))
    if not found:
        return []
    present = dt.date.fromisoformat(until or _latest(ledger, run_id))
    ages = [
        f"{feed} {count:,} (oldest {max((present - dt.date.fromisoformat(day)).days, 0):,} days, since {day})" for feed, count, day in found
    ]
    return [f"quarantine: {sum(count for _, count, _ in found):,} records are open: {', '.join(ages)}; see ops.quarantine"]


def _latest(ledger: Ledger, run_id: str) -> str:
    sql = "select max(delivery_date) from deliveries where status in ('accepted', 'duplicate', 'refused') or run_id = ?"
    return str(ledger.rows(sql, (run_id,))[0][0])
