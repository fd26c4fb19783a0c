"""Local times of a zone whose periods are known: the same instants as without. Breaks: an hour's offset on large files only."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.ingest.conform.zones import Zones, instant_macro
from dagster_project.ingest.sql_text import instant, literal

# Fall back by half an hour, at midnight, twice a year in Ramadan, by two hours; odd offsets; no summer time; a day skipped.
ZONES = [
    "Asia/Jerusalem", "Europe/London", "Australia/Lord_Howe", "America/Sao_Paulo", "America/Havana", "Africa/Casablanca",
    "Antarctica/Troll", "America/St_Johns", "Asia/Kathmandu", "Atlantic/Azores", "Asia/Kolkata", "Pacific/Apia",
]  # fmt: skip
DELIVERED = dt.date(2026, 11, 27)


def connection(*known: str) -> duckdb.DuckDBPyConnection:
    made = duckdb.connect()
    made.execute("set TimeZone = 'UTC'")
    made.execute(instant_macro())
    zones = Zones(made)
    for zone in known:
        zones.know(zone, DELIVERED)
    return made


@pytest.mark.parametrize("zone", [*ZONES[:4], *(pytest.param(zone, marks=pytest.mark.nightly) for zone in ZONES[4:])])
def test_every_quarter_of_an_hour_in_forty_years_is_the_same_instant_known_or_not(zone: str) -> None:
    every = "generate_series(timestamp '1986-06-01', timestamp '2029-01-01', interval 15 minutes)"
    sql = f"select bit_xor(hash(local, earlier_instant(local, '{zone}'))), count(*) from (select unnest({every}) as local)"
    assert connection(zone, "Asia/Tokyo").execute(sql).fetchone() == connection().execute(sql).fetchone()


KNOWN = connection("Europe/London", "America/New_York")


@settings(deadline=None)
@given(local=st.datetimes(dt.datetime(1987, 1, 1), dt.datetime(2027, 12, 1)), zone=st.sampled_from(["Europe/London", "America/New_York"]))
def test_a_known_zone_gives_the_instant_that_python_gives(local: dt.datetime, zone: str) -> None:
    (found,) = KNOWN.execute(f"select earlier_instant(?::timestamp, '{zone}')", [local]).fetchone() or ()
    assert found == local.replace(tzinfo=ZoneInfo(zone)).astimezone(dt.UTC)


@pytest.mark.parametrize(
    "local", ["null", "'infinity'", "'-infinity'", "'0044-03-15 (BC) 00:00:00'", "'2200-01-01'", "'1900-01-01 00:00:01.000001'"]
)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Jerusalem"])
def test_odd_times_pass_as_the_engine_converts_them(local: str, zone: str) -> None:
    sql = f"select earlier_instant({local}::timestamp, '{zone}')::varchar, timezone('{zone}', {local}::timestamp)::varchar"
    found, expected = connection(zone).execute(sql).fetchone() or ()
    assert found == expected


_TIMES = st.datetimes().map(lambda time: time.isoformat(sep=" ", timespec="seconds"))
_ODD = st.from_regex(r"\A[-+ 0-9]{4}-[0-9]{1,2}-?[0-9]{1,2}[T ]?[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}[-+.Z: 0-9]{0,6}\Z")
_SIGN = st.sampled_from("0129-+:TZ .(\u0663")


@settings(deadline=None)
@given(
    texts=st.lists(_TIMES | _ODD | st.builds(lambda text, at, sign: text[:at] + sign + text[at + 1 :], _TIMES, st.integers(0, 18), _SIGN))
)
def test_an_instant_in_utc_is_the_one_the_engine_reads_in_any_spelling(texts: list[str]) -> None:
    listed = ", ".join(f"('{text}')" for text in ["2026-01-01 10:00:00", *texts])
    read, known = instant("text", "UTC", ()), "try_cast(text as timestamptz)"
    assert (
        KNOWN.execute(f"select text, {read}, {known} from (values {listed}) t(text) where {read} is distinct from {known}").fetchall() == []
    )


@pytest.mark.parametrize(
    ("text", "in_utc", "in_kathmandu"),
    [
        ("2026-03-02 01:00:00", "2026-03-02 01:00:00+00", "2026-03-01 19:15:00+00"),
        ("2026-03-02T01:00:00", "2026-03-02 01:00:00+00", "2026-03-01 19:15:00+00"),
        ("2026-03-02 01:00:00Z", "2026-03-02 01:00:00+00", "2026-03-02 01:00:00+00"),
        ("2026-03-02 1:0:00-02", "2026-03-02 03:00:00+00", "2026-03-02 03:00:00+00"),
        ("2026-03-02 1:0:0-02", "2026-03-02 03:00:00+00", "2026-03-02 03:00:00+00"),
        ("2026-03-02 01:00:00+02", "2026-03-01 23:00:00+00", "2026-03-01 23:00:00+00"),
        ("2026-03-02 25:00:00", None, None),
    ],
)
def test_a_text_with_an_offset_is_its_instant_and_one_without_is_local(text: str, in_utc: str | None, in_kathmandu: str | None) -> None:
    read = [instant(literal(text), zone, ()) for zone in ("UTC", "Asia/Kathmandu")]
    assert KNOWN.execute(f"select {read[0]}::varchar, {read[1]}::varchar").fetchone() == (in_utc, in_kathmandu)


def test_the_periods_are_few_and_cover_all_days_but_those_of_a_change() -> None:
    made = connection("Asia/Jerusalem")
    ((sql,),) = made.execute("select macro_definition from duckdb_functions() where function_name = 'earlier_instant'").fetchall()
    assert 70 < sql.count("make_timestamptz") < 100
    hours = "select unnest(generate_series(timestamp '2020-01-01', timestamp '2025-12-31', interval 1 hour)) as l"
    fast = sql.replace("timezone(", "null_of(")
    made.execute("create temp macro null_of(zone, value) as null::timestamptz")
    made.execute(f"create temp macro only_fast(local_time, zone) as {fast}")
    (share,) = made.execute(f"select avg((only_fast(l, 'Asia/Jerusalem') is null)::int) from ({hours})").fetchone() or ()
    assert 0 < share < 0.01
