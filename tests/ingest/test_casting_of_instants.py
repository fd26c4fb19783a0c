"""Instants: declared forms, offsets and local times of a zone; anything else is refused. Breaks: an event in the wrong month."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ingest.casting_rows import MANY, UNSHRUNK, cast, cast_all


@pytest.mark.fault("F16")
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Europe/Rome"])
@pytest.mark.parametrize("word", ["epoch", "infinity", "-infinity"])
def test_a_word_that_the_engine_takes_for_an_instant_is_refused_with_declared_forms_too(word: str, zone: str) -> None:
    written = {"timestamp_formats": ("%d/%m/%Y %H:%M",), "date_formats": ("%d.%m.%Y",)}
    assert cast("refunds", refunded_at=word, zone=zone, written=written)[0] == "instant_format"
    assert cast("fx_rates", rate_date=word, zone=zone, written=written)[0] == "date_format"


@pytest.mark.fault("F15")
@pytest.mark.parametrize("offset", ["+99:99", "+99:00", "-99", "+23:59", "+14:01", "-15:00", "+1500", "+05:75", "-0360"])
def test_an_offset_that_no_place_has_is_refused(offset: str) -> None:
    assert cast("refunds", refunded_at=f"2026-01-01T10:00:00{offset}")[0] == "instant_format"
    assert cast("refunds", refunded_at=f"2026-01-01 10:00:00.123456{offset}")[0] == "instant_format"
    assert cast("refunds", refunded_at=f"2026-01-01T10:00{offset}")[0] == "instant_format"


@pytest.mark.parametrize("offset", ["+14:00", "-12:00", "+05:45", "+0530", "-03", "+00", "Z", ""])
def test_an_offset_that_a_place_has_is_read(offset: str) -> None:
    assert cast("refunds", refunded_at=f"2026-01-01T10:00:00{offset}")[0] is None
    assert cast("refunds", refunded_at="2026-01-30")[0] is None, "a day is no offset"


@pytest.mark.fault("F15")
@pytest.mark.parametrize(
    ("zone", "local", "instant"),
    [
        ("Europe/Berlin", "2026-01-15 12:00:00", "2026-01-15 11:00"),
        ("Europe/Berlin", "2026-03-29 02:30:00", "2026-03-29 01:30"),  # gap: shifts forward to 03:30 local
        ("Europe/Berlin", "2026-10-25 02:30:00", "2026-10-25 00:30"),  # ambiguous: the earlier instant
        ("Europe/Berlin", "2026-10-25 03:00:00", "2026-10-25 02:00"),
        ("Australia/Lord_Howe", "2026-04-05 01:45:00", "2026-04-04 14:45"),  # falls back by half an hour
        ("Europe/Berlin", "2026-07-01T12:00:00+05:00", "2026-07-01 07:00"),  # an offset wins over the zone
        ("Europe/Berlin", "2026-07-01T12:00:00Z", "2026-07-01 12:00"),
        ("America/New_York", "2026-07-01", "2026-07-01 04:00"),
    ],
)
def test_local_times_go_through_the_declared_zone(zone: str, local: str, instant: str) -> None:
    rule, row = cast("refunds", refunded_at=local, zone=zone)
    assert rule is None
    assert row["refunded_at"].astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M") == instant  # type: ignore[attr-defined]


ZONES = ("Europe/London", "America/Sao_Paulo", "Asia/Jerusalem", "America/Los_Angeles")


def local_times(zone: str) -> st.SearchStrategy[dt.datetime]:
    """Any second of many years, and as often a minute at night when the zone's offset changes."""
    days = [dt.datetime(2000, 1, 1) + dt.timedelta(day) for day in range(36 * 365)]
    offsets = [day.replace(tzinfo=ZoneInfo(zone)).utcoffset() for day in days]
    changing = [day for day, old, new in zip(days, offsets, offsets[1:], strict=False) if old != new]
    any_time = st.datetimes(days[0], days[-1]).map(lambda local: local.replace(microsecond=0))
    at_night = st.integers(0, 4 * 60) | st.integers(23 * 60, 24 * 60)
    return any_time | st.tuples(st.sampled_from(changing), at_night).map(lambda at: at[0] + dt.timedelta(minutes=at[1]))


@pytest.mark.parametrize("zone", ZONES)
@given(data=st.data())
@settings(UNSHRUNK, max_examples=2)
def test_any_local_time_is_the_instant_python_gives_for_its_first_occurrence(zone: str, data: st.DataObject) -> None:
    whole = data.draw(st.lists(local_times(zone), min_size=MANY, max_size=MANY))
    expected = [local.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(dt.UTC) for local in whole]
    found = cast_all("refunds", [{"refunded_at": local.isoformat(sep=" ")} for local in whole], zone=zone)
    assert [(rule, row["refunded_at"], is_fast) for rule, row, is_fast in found] == [(None, instant, True) for instant in expected]


def test_declared_formats_are_the_only_ones_read() -> None:
    written = {"timestamp_formats": ("%d/%m/%Y %H:%M",), "date_formats": ("%d.%m.%y", "%d.%m.%Y")}
    instant = dt.datetime(2025, 12, 31, 23, 5, tzinfo=dt.UTC)
    assert cast("refunds", refunded_at="31/12/2025 23:05", written=written)[1]["refunded_at"] == instant
    assert cast("refunds", refunded_at="12/31/2025 23:05", written=written)[0] == "instant_format"
    assert cast("fx_rates", rate_date="31.12.2025", written=written)[1]["rate_date"] == dt.date(2025, 12, 31)
    assert cast("fx_rates", rate_date="31.12.25", written=written)[1]["rate_date"] == dt.date(2025, 12, 31)
    for text in ("2025-12-31", "12.31.2025", "29.02.1900", "46053", "31.12.0025"):
        assert cast("fx_rates", rate_date=text, written=written)[0] == "date_format"
