"""Local times to instants: the macro `earlier_instant(local_time, zone)`, and the periods that make it cheap for many rows.

An ambiguous local time has two instants; the engine takes the later, we the earlier. Offsets fall back by an hour, on Lord Howe by half of
it. A conversion through a zone costs some 250 ns and finding the earlier instant several; subtracting an offset costs 10. So UTC is not
converted, and of a zone that a large file uses it is found once between which days its offset stays the same. Holds SQL text and the look
at the engine's own calendar. It must not know a file.
"""

from __future__ import annotations

import datetime as dt

import duckdb

from dagster_project.ingest.sql_text import literal

_YEARS = 40  # before the delivery; older times are converted one by one
_DAYS_AHEAD = 400

# The first question is asked because it is nearly always answered yes. It is one CASE: of what is in a COALESCE the engine computes for
# every row what repeats.
_CONVERTED = """
    when timezone(zone, timezone(zone, local_time) - interval 1 hour) = local_time - interval 1 hour then timezone(zone, local_time)
    when timezone(zone, timezone(zone, local_time) - interval 1 hour) = local_time then timezone(zone, local_time) - interval 1 hour
    when timezone(zone, timezone(zone, local_time) - interval 30 minutes) = local_time then timezone(zone, local_time) - interval 30 minutes
    else timezone(zone, local_time) end
"""

# Each day begins at an instant, the earlier of two; between the first and the last of adjoining days that begin with one offset it stays.
_PERIODS = """
with days as (
    select day, epoch_us(day) - epoch_us(earlier_instant(day, {zone})) as offset_us
    from (select unnest(generate_series({first}::timestamp, {last}::timestamp, interval 1 day)) as day)
),
numbered as (
    select *, count(*) filter (where is_other) over (order by day) as period
    from (select *, offset_us is distinct from lag(offset_us) over (order by day) as is_other from days)
)
select min(day)::varchar, max(day)::varchar, any_value(offset_us) from numbered group by period having count(*) > 1 order by 1 desc
"""


def instant_macro(periods: str = "") -> str:
    """Return the statement that makes the macro; zones without periods are converted row by row, with the same result."""
    utc = "\n    when zone = 'UTC' and isfinite(local_time) then make_timestamptz(epoch_us(local_time))"
    return f"create or replace temp macro earlier_instant(local_time, zone) as case{utc}{periods}{_CONVERTED}"


class Zones:
    """The zones that the macro of one connection knows by their periods."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Keep the connection, which has the macro."""
        self._connection = connection
        self._known: dict[str, str] = {}

    def know(self, zone: str, delivered: dt.date) -> None:
        """Look up the periods of a zone up to the day of a delivery and a year ahead; the first such day counts."""
        if zone == "UTC" or zone in self._known:
            return
        first, last = delivered - dt.timedelta(days=366 * _YEARS), delivered + dt.timedelta(days=_DAYS_AHEAD)
        sql = _PERIODS.format(zone=literal(zone), first=literal(first.isoformat()), last=literal(last.isoformat()))
        self._known[zone] = "".join(
            f"\n    when zone = {literal(zone)} and local_time >= {literal(start)} and local_time < {literal(end)}"
            f" then make_timestamptz(epoch_us(local_time) - {offset})"
            for start, end, offset in self._connection.execute(sql).fetchall()
        )
        self._connection.execute(instant_macro("".join(self._known.values())))
