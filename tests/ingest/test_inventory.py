"""What counts as new: layout errors name path and remedy, and a landing folder without news is cheap to walk."""

from __future__ import annotations

import datetime as dt
import os
import time
from pathlib import Path
from typing import Any

import pytest
import time_machine

from dagster_project.errors import UsageError
from dagster_project.ingest.landing.inventory import Unread, new_files, raise_if_broken

ORDER = "order_id,ordered_at,currency_code\no1,2026-01-01T10:00:00Z,EUR\n"


def fresh(ingest: Any, until: str | None = None) -> list[str]:
    return [delivery.relative for delivery in new_files(ingest.settings.landing, ingest.ledger, ingest.mappings, until)]


def test_a_loaded_file_is_not_new_until_its_bytes_change(ingest: Any) -> None:
    path = ingest.deliver("canonical/orders/2026-01-02/a.csv", ORDER)
    assert fresh(ingest) == ["canonical/orders/2026-01-02/a.csv"]
    ingest.walk()
    assert fresh(ingest) == []
    os.utime(path, ns=(1, 1))
    assert fresh(ingest) == [], "a new time of change with the same bytes is no news"
    ingest.deliver("canonical/orders/2026-01-02/a.csv", ORDER.replace("EUR", "USD"))
    assert len(fresh(ingest)) == 1


@pytest.mark.fault("D4")
def test_half_written_files_and_manifests_are_not_deliveries(ingest: Any) -> None:
    for name in ("a.csv.part", "a.csv.tmp", ".a.csv", "a.csv.manifest.json"):
        ingest.deliver(f"canonical/orders/2026-01-02/{name}", ORDER)
    assert fresh(ingest) == []


def test_until_leaves_later_deliveries_for_another_day(ingest: Any) -> None:
    for day in ("2026-01-02", "2026-01-03"):
        ingest.deliver(f"canonical/orders/{day}/a.csv", ORDER)
    assert fresh(ingest, "2026-01-02") == ["canonical/orders/2026-01-02/a.csv"]
    with pytest.raises(UsageError, match="until yesterday: not a date"):
        fresh(ingest, "yesterday")


@pytest.mark.parametrize(
    ("relative", "message"),
    [
        ("acme/orders/2026-01-02/a.csv", "unknown system acme; known systems: bank, canonical, freshdesk, "),
        ("canonical/invoices/2026-01-02/a.csv", "has no stream invoices; known streams: account_merges"),
        ("canonical/orders/02-01-2026/a.csv", "named by its day as YYYY-MM-DD"),
        ("canonical/orders/20260102/a.csv", "named by its day as YYYY-MM-DD"),
        ("canonical/orders/a.csv", "not where a delivered file belongs"),
        ("canonical/orders/2026-01-02/inner/a.csv", "is a folder where files belong"),
    ],
)
def test_what_nobody_reads_is_named_with_its_files_and_stops_no_other(ingest: Any, relative: str, message: str) -> None:
    ingest.deliver(relative, ORDER)
    ingest.deliver("zendesk/ticket_tag/2026-01-02/a.csv", "tag,ticket_id\n")
    unread: list[Unread] = []
    found = new_files(ingest.settings.landing, ingest.ledger, ingest.mappings, None, unread)
    assert [delivery.relative for delivery in found] == ["zendesk/ticket_tag/2026-01-02/a.csv"]
    (part,) = unread
    assert message in str(part)
    assert str(part).startswith(f"not read, 1 file: {ingest.settings.landing}")
    assert "remedy: " in str(part)
    assert not part.is_broken


def test_a_wrong_mapping_of_a_known_system_lets_the_others_load_and_then_stops(make_ingest: Any, tmp_path: Path) -> None:
    (tmp_path / "mappings" / "till").mkdir(parents=True)
    (tmp_path / "mappings" / "till" / "till.yml").write_text("time_zone: Mars\nstreams: {}\n")
    ingest = make_ingest(mappings=tmp_path / "mappings")
    ingest.deliver("till/sales/2026-01-02/a.csv", ORDER)
    ingest.deliver("canonical/orders/2026-01-02/a.csv", ORDER)
    unread: list[Unread] = []
    found = new_files(ingest.settings.landing, ingest.ledger, ingest.mappings, None, unread)
    assert [delivery.relative for delivery in found] == ["canonical/orders/2026-01-02/a.csv"]
    assert [part.is_broken for part in unread] == [True]
    with pytest.raises(UsageError, match=r"till\.yml:\d+: "):
        raise_if_broken(unread)


@pytest.mark.fault("S4")
@pytest.mark.fault("D15")
@pytest.mark.parametrize(
    ("clock", "latest"),
    [("2026-12-05T23:59:59", "2026-12-06"), ("2027-02-28T00:00:00", "2027-03-01"), ("1998-01-01T00:00:00", "2026-11-30")],
)
def test_a_day_after_tomorrow_is_not_read_and_named_and_the_others_are(ingest: Any, clock: str, latest: str) -> None:
    after = str(dt.date.fromisoformat(latest) + dt.timedelta(days=1))
    for day in ("2026-01-02", latest, after, "2126-01-01"):
        ingest.deliver(f"canonical/orders/{day}/a.csv", day)
    ingest.deliver("canonical/orders/2126-01-01/b.csv", "b")
    unread: list[Unread] = []
    with time_machine.travel(dt.datetime.fromisoformat(clock).replace(tzinfo=dt.UTC), tick=False):
        found = new_files(ingest.settings.landing, ingest.ledger, ingest.mappings, None, unread)
    assert [str(delivery.delivery_date) for delivery in found] == ["2026-01-02", latest]
    assert [(part.path.name, part.files) for part in unread] == [(after, 1), ("2126-01-01", 2)]
    assert f"the day of delivery is later than tomorrow, {latest}; remedy: name the folder" in str(unread[0])


def test_a_link_out_of_the_landing_folder_is_refused(ingest: Any, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text(ORDER)
    folder = ingest.settings.landing / "canonical" / "orders" / "2026-01-02"
    folder.mkdir(parents=True)
    (folder / "a.csv").symlink_to(secret)
    with pytest.raises(UsageError, match="points outside the landing folder"):
        fresh(ingest)


def test_a_thousand_known_files_are_walked_within_a_second(ingest: Any) -> None:
    for number in range(1_000):
        ingest.deliver(f"canonical/orders/2026-01-02/{number}.csv", ORDER.replace("o1", f"o{number}"))
    deliveries = new_files(ingest.settings.landing, ingest.ledger, ingest.mappings)
    from dagster_project.ledger.entries import StagedFile

    staged = [
        StagedFile("canonical", "orders", "2026-01-02", d.relative, d.relative, d.bytes, d.mtime_ns, d.reader_hash, "staged")
        for d in deliveries
    ]
    ingest.ledger.stage("run", staged)
    ingest.ledger.accept("run")
    since = time.process_time()
    assert fresh(ingest) == []
    assert time.process_time() - since < 1.0


@pytest.mark.fault("S14")
@pytest.mark.parametrize("end", ["\n", "\r"])
def test_a_name_with_an_end_of_line_is_refused_and_shown_on_one_line(ingest: Any, end: str) -> None:
    ingest.deliver(f"canonical/orders/2026-07-01/a{end}warning: all is well.csv", ORDER)
    (found,) = new_files(ingest.settings.landing, ingest.ledger, ingest.mappings, None, [])
    assert "its name holds an end of line; remedy: " in found.fault
    assert found.fault.splitlines() == [found.fault]
