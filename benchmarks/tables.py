"""Case tables: a mapped system whose streams are source tables: their first load, a day of them, and deliveries that change nothing.

The system is a switch of telephones as a vendor exports it: a wide file of calls with a key and a version, of which half the columns are
unread, and a small one of agents that the SELECT joins. Each run is a process of its own; what is timed begins when everything is imported
and the mapping is read.
"""

from __future__ import annotations

import json
import resource
import shutil
import sys
import time
from collections import defaultdict
from pathlib import Path

import duckdb
import pandas  # noqa: F401  # the engine imports it with the first parameter of a statement: not the price of a file

from benchmarks import product
from benchmarks.measure import Usage, middle
from benchmarks.report import Section
from dagster_project.assumptions import load_assumptions
from dagster_project.ingest.landing.inventory import new_files
from dagster_project.ingest.loading import load
from dagster_project.ingest.mapping.systems import Mappings
from dagster_project.ingest.sources.selects import selects_of
from dagster_project.ledger.store import Ledger
from dagster_project.settings import load_settings

SYSTEM, ROWS, HISTORIES, DAILY = "switch", 1_000_000, (3, 24), 1_000
_READ = """call_id changed agent_id caller account queue direction started queued answered ended ring_seconds talk_seconds hold_seconds
wrap_seconds outcome""".split()
_UNREAD = [f"vendor_{at:02}" for at in range(16)]
_YML = f"""
time_zone: UTC
streams:
  call:
    columns: [{", ".join(_READ)}]
    unread: [{", ".join(_UNREAD)}]
    key: [call_id]
    version: changed
    feeds: {{interactions: {{sql: calls.sql, records: true}}}}
  agent:
    columns: [agent_id, team]
    key: [agent_id]
"""
_SQL = """
select
    source.record_number, source.call_id as interaction_id, source.account as account_id, source.agent_id,
    'phone' as channel, source.direction, source.started as started_at, source.queued as queued_at, source.answered as answered_at,
    source.ended as ended_at, source.talk_seconds, source.hold_seconds, source.wrap_seconds, source.outcome, agent.team as department_id,
    source.changed as source_updated_at
from source left join agent on source.agent_id = agent.agent_id
"""


def measure(folder: Path, size: float, repeats: int, section: Section) -> None:
    """Measure the first load of `size` million calls against bare copies, then one day after a short and a long history."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = int(size * ROWS)
    file = folder / "calls.csv"
    if not file.exists():
        _write(file, 0, rows, version=1)
    usages: dict[str, list[Usage]] = defaultdict(list)
    words = {"bare": "bare typed COPY", "select": "of ingest, the SELECT over a table in memory", "first": "ingest with source tables"}
    for _ in range(repeats):
        for case in words:
            usages[case].append(_run(case, folder / "first", file))
    for case, name in words.items():
        section.add(f"{name}, {size:g} million rows", usages[case], f"{file.stat().st_size / 1e6:,.0f} MB")
    section.ratio(f"first load to bare COPY, {size:g} million rows", middle(usages["first"]), middle(usages["bare"]))
    section.ratio("the SELECT to bare COPY", middle(usages["select"]), middle(usages["bare"]))
    typical, daily = {}, max(10, int(size * DAILY))
    days: dict[int, list[Usage]] = defaultdict(list)
    for months in HISTORIES:
        history = folder / f"history-{months}.csv"
        _write(history, 0, 30 * months * daily, version=1)
        _run("first", folder / f"home-{months}", history)
    at = 0
    for recent, words in ((0.9, "most changes are of the last 30 days"), (0.0, "changes spread evenly over the history")):
        days.clear()
        for _ in range(repeats):
            day = folder / f"day-{at}.csv"
            for months in HISTORIES:
                _write(day, (30 * months + at) * daily, daily, version=2 + at, changed=daily, recent=recent)
                days[months].append(_run("day", folder / f"home-{months}", day))
            at += 1
        for months in HISTORIES:
            typical[months] = section.add(
                f"a day after {months} months, {words}", days[months], f"{2 * daily:,} rows, half of them changes"
            )
        section.ratio(f"a day after {HISTORIES[1]} months to {HISTORIES[0]}, {words}", typical[HISTORIES[1]], typical[HISTORIES[0]])
    again = [_run("again", folder / f"home-{HISTORIES[1]}", folder / f"history-{HISTORIES[1]}.csv") for _ in range(repeats)]
    section.add(f"the history of {HISTORIES[1]} months again, with other unread columns", again, "0 records mapped")


def _run(case: str, work: Path, file: Path) -> Usage:
    run = product.python("-m", "benchmarks.tables", case, work, file)
    printed = json.loads(run.output.splitlines()[-1])
    return Usage(printed["wall"], printed["cpu"], run.peak_bytes)


def _write(file: Path, first: int, rows: int, version: int, changed: int = 0, recent: float = 0.0) -> None:
    """Write calls with numbers from `first`, and changes of earlier ones, of which a share is of the last 30 days."""
    since = f"if(range < {changed * recent}, {first - 30 * rows}, 0)"
    earlier = f"select {since} + (hash(range, {first}) % greatest({first} - {since}, 1))::bigint from range({changed})"
    numbers = f"select {first} + range as n from range({rows}) union all {earlier}"
    started = "timestamp '2030-01-01' + (n % 1000000) * interval 1 second"
    columns = {
        "call_id": "'c' || n", "changed": f"timestamp '2030-02-01' + interval {version} day", "agent_id": "'a' || n % 200",
        "caller": "'+49301' || n % 100000", "account": "'k' || n % 50000", "queue": "'q' || n % 12", "direction": "'in'",
        "started": started, "queued": started, "answered": f"{started} + interval 20 second", "ended": f"{started} + interval 300 second",
        "ring_seconds": "20", "talk_seconds": f"200 + (n + {version}) % 80", "hold_seconds": "n % 7", "wrap_seconds": "n % 60",
        "outcome": "'answered'", **{name: f"'value {version} ' || (n * {at + 3}) % 100000" for at, name in enumerate(_UNREAD)},
    }  # fmt: skip
    listed = ", ".join(f"{sql} as {name}" for name, sql in columns.items())
    duckdb.connect().execute(
        f"copy (select {listed} from (select distinct n from ({numbers})) order by n) to '{file}' (format csv, header)"
    )


def _place(work: Path, file: Path, day: str) -> None:
    mapping = work / "mappings" / SYSTEM
    mapping.mkdir(parents=True, exist_ok=True)
    (mapping / f"{SYSTEM}.yml").write_text(_YML)
    (mapping / "calls.sql").write_text(_SQL)
    agents = work / "landing" / SYSTEM / "agent" / "2030-02-02" / "agent.csv"
    if not agents.exists():
        agents.parent.mkdir(parents=True)
        agents.write_text("agent_id,team\n" + "".join(f"a{at},team {at % 9}\n" for at in range(200)))
    landed = work / "landing" / SYSTEM / "call" / day / "call.csv"
    landed.parent.mkdir(parents=True)
    shutil.copyfile(file, landed)


def _load(work: Path) -> int:
    """Load what is new and return how many records were mapped."""
    settings = load_settings(landing=work / "landing", home=work / "home", mappings=work / "mappings")
    mappings = Mappings(settings.mappings)
    ledger = Ledger(settings.ops)
    report = load(settings, load_assumptions(), ledger, new_files(settings.landing, ledger, mappings), "bench")
    report.raise_if_refused()
    ledger.accept("bench")
    report.commit(ledger)
    return sum(report.mapped.values())


def main() -> None:
    """Run one case and print its seconds; `again` delivers a history with other values of unread columns and must map nothing."""
    case, work, file = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    if case in ("first", "bare", "select"):
        shutil.rmtree(work, ignore_errors=True)
    deliveries = len(list((work / "landing" / SYSTEM / "call").glob("*")))
    days = {"first": "2030-02-02"}
    work.mkdir(parents=True, exist_ok=True)
    if case == "again":
        other = work / "again.csv"
        other.write_text(file.read_text().replace("value 1 ", f"value again {deliveries} "))
        file = other
    settings = load_settings(landing=work / "landing", home=work / "home", mappings=work / "mappings")
    connection = duckdb.connect(config={"threads": str(settings.threads), "memory_limit": settings.memory_limit})
    connection.execute("set TimeZone = 'UTC'")
    columns = ", ".join(_READ)
    if case == "select":
        connection.execute(
            f"create table source as select row_number() over () as record_number, {columns} from read_csv('{file}', all_varchar = true)"
        )
        connection.execute("create table agent as select 'a' || range as agent_id, 'team' as team from range(200)")
    elif case != "bare":
        _place(work, file, days.get(case, f"2030-03-{deliveries + 1:02}"))
        mappings = Mappings(settings.mappings)
        selects_of(mappings.system(SYSTEM)).tables  # noqa: B018  reads and binds the mapping before the clock starts
        settings.ops.mkdir(parents=True, exist_ok=True)
    before, since = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    if case == "bare":
        connection.execute(f"copy (from read_csv('{file}')) to '{work}/bare.parquet' (format parquet, compression snappy)")
    elif case == "select":
        connection.execute(f"copy ({_SQL}) to '{work}/select.parquet' (format parquet, compression snappy)")
    else:
        mapped = _load(work)
        if case == "again" and mapped:
            raise SystemExit(f"{mapped:,} records were mapped, though nothing changed that the SELECT reads")
    wall, after = time.perf_counter() - since, resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"wall": wall, "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}))


if __name__ == "__main__":
    main()
