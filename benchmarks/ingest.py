"""Case ingest: one file through the whole of ingest beside a bare typed copy of it by the engine, and the parts of both.

Each run is a process of its own; what is timed begins when everything is imported and the contracts are read. Both write the columns
of the file with the types of the contract as snappy Parquet on as many threads with as much memory; ingest also counts, checks,
hashes and keeps its ledger. The file goes through it as a canonical one and through two mappings: a plain SELECT, which is one pass over
the file, and one that filters, for which ingest makes a table of it.
"""

from __future__ import annotations

import gzip
import json
import resource
import shutil
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas  # noqa: F401  # the engine imports it with the first parameter of a statement: not the price of a file

from benchmarks import product
from benchmarks.measure import Usage, middle
from benchmarks.report import Section
from dagster_project.assumptions import load_assumptions
from dagster_project.contracts.model import load_contract
from dagster_project.ingest.landing.inventory import new_files
from dagster_project.ingest.loading import load
from dagster_project.ingest.mapping.systems import CANONICAL, Mappings
from dagster_project.ingest.readers.dialect import Dialect
from dagster_project.ingest.readers.prescan import prescan_text
from dagster_project.ledger.store import Ledger
from dagster_project.settings import load_settings

_MAPPED = "calls_of_a_switch"
FEED, ROWS = "interactions", 1_000_000
DAY = "2030-01-02"  # of the delivery; nothing in the file happened after it
_SEED = ("--accounts", "400", "--months", "6")


def measure(folder: Path, size: float, repeats: int, section: Section) -> None:
    """Measure both kinds of file, plain and gz, alternating; a file has `size` million interactions of the demo company's form."""
    names = {
        "bare": "bare typed COPY",
        "ingest": "ingest",
        "plain": "ingest, mapped by a plain SELECT",
        "filter": "ingest, mapped by a SELECT that filters",
        "read": "of the bare COPY, reading text alone",
        "scan": "of ingest, the pre-scan alone",
    }
    for file in _files(folder, size):
        usages: dict[str, list[Usage]] = defaultdict(list)
        for _ in range(repeats):
            for case in names:
                run = product.python("-m", "benchmarks.ingest", case, file, folder / "work")
                told = json.loads(run.output.splitlines()[-1])
                usages[case].append(Usage(told["wall"], told["cpu"], run.peak_bytes))
        kind = "csv.gz" if file.suffix == ".gz" else "csv"
        for case, name in names.items():
            section.add(f"{name}, {kind}, {size:g} million rows", usages[case], f"{file.stat().st_size / 1e6:,.0f} MB")
        for case, words in (("ingest", ""), ("plain", ", plain SELECT"), ("filter", ", filtering SELECT")):
            section.ratio(f"ingest to bare COPY, {kind}{words}", middle(usages[case]), middle(usages["bare"]))
        section.ratio(f"pre-scan to reading alone, {kind}", middle(usages["scan"]), middle(usages["read"]))


def _files(folder: Path, size: float) -> list[Path]:
    """Write the files once: the calls of a small demo company, repeated under new identifiers."""
    plain = folder / f"{FEED}.csv"
    packed = folder / f"{FEED}.csv.gz"
    if not packed.exists():
        seed = folder / "seed"
        folder.mkdir(parents=True, exist_ok=True)
        product.python("-m", "dagster_project.commands.cli", "demo", "--landing", seed, *_SEED)
        rows = int(size * ROWS)
        with duckdb.connect() as connection:
            calls = f"read_csv('{seed}/canonical/{FEED}/*/{FEED}.csv', all_varchar = true)"
            ((count,),) = connection.execute(f"select count(*) from {calls}").fetchall()
            again = f"from range({-(-rows // count)}) times(n), {calls} as calls limit {rows}"
            connection.execute(
                f"copy (select calls.* replace (interaction_id || '-' || n as interaction_id) {again}) to '{plain}' (format csv, header)"
            )
        with plain.open("rb") as text, gzip.open(folder / "packing", "wb", compresslevel=6) as archive:
            shutil.copyfileobj(text, archive, 1 << 20)
        (folder / "packing").rename(packed)
    return [plain, packed]


def _typed(file: Path, *, is_typed: bool) -> str:
    with gzip.open(file, "rt") if file.suffix == ".gz" else file.open() as text:
        names = text.readline().strip().split(",")
    contract = load_contract(FEED)
    types = {name: contract.column(name).sql_type if is_typed else "varchar" for name in names}
    return f"read_csv('{file}', header = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"', columns = {types})"


def _engine() -> duckdb.DuckDBPyConnection:
    settings = load_settings()
    connection = duckdb.connect(config={"threads": str(settings.threads), "memory_limit": settings.memory_limit})
    connection.execute("set TimeZone = 'UTC'")
    return connection


def _bare(file: Path, work: Path) -> None:
    _engine().execute(f"copy (select * from {_typed(file, is_typed=True)}) to '{work}/bare.parquet' (format parquet, compression snappy)")


def _read(file: Path, _: Path) -> None:
    _engine().execute(f"select count(*) from {_typed(file, is_typed=False)}")


def _scan(file: Path, work: Path) -> None:
    prescan_text(file, Dialect(), work)


def _ingest(file: Path, work: Path) -> None:
    settings = load_settings(landing=work / "landing", home=work / "home", mappings=work / "mappings")
    ledger = Ledger(settings.ops)
    report = load(settings, load_assumptions(), ledger, new_files(settings.landing, ledger, Mappings(settings.mappings)), "bench")
    report.raise_if_refused()
    assert report.files[0].loaded, f"{file} was not loaded"


def _map(file: Path, mappings: Path, where: str) -> None:
    """Write a mapping that selects every column of the file."""
    with gzip.open(file, "rt") if file.suffix == ".gz" else file.open() as text:
        names = text.readline().strip().replace(",", ", ")
    folder = mappings / _MAPPED
    folder.mkdir(parents=True)
    feeds = f"feeds:\n      {FEED}: {{sql: calls.sql, records: true}}"
    (folder / f"{_MAPPED}.yml").write_text(f"time_zone: UTC\nstreams:\n  {FEED}:\n    columns: [{names}]\n    {feeds}\n")
    (folder / "calls.sql").write_text(f"select record_number, {names} from source {where}\n")


_CASES: dict[str, Callable[[Path, Path], None]] = {
    "bare": _bare, "ingest": _ingest, "plain": _ingest, "filter": _ingest, "read": _read, "scan": _scan,
}  # fmt: skip
_WHERE = {"plain": "", "filter": "where interaction_id is not null"}


def main() -> None:
    """Run one case on one file and print its seconds."""
    case, file, work = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    shutil.rmtree(work, ignore_errors=True)
    system = _MAPPED if case in _WHERE else CANONICAL
    landed = work / "landing" / system / FEED / DAY / file.name
    landed.parent.mkdir(parents=True)
    landed.hardlink_to(file)
    (work / "home" / "ops").mkdir(parents=True)
    (work / "mappings").mkdir()
    if case in _WHERE:
        _map(file, work / "mappings", _WHERE[case])
    Mappings(work / "mappings").system(system).stream(FEED)
    load_contract(FEED)
    before, since = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    _CASES[case](file, work)
    wall, after = time.perf_counter() - since, resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"wall": wall, "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}))
    shutil.rmtree(work)


if __name__ == "__main__":
    main()
