"""A preview of the next build: a private database that shows the tables of the last one, to ask what the next would change.

The warehouse is attached read-only; schemas `lake`, `arrived` and `state` are copies or made here, so that the very statements of a
run can be asked here and change nothing: the models are the compiled ones. Holds that database and its two questions: why everything,
and which months. DuckDB only.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path

import duckdb

from dagster_project.assumptions import Assumptions
from dagster_project.engines.duckdb import connect_memory
from dagster_project.engines.duckdb_engine import DuckDBEngine
from dagster_project.errors import InfrastructureError
from dagster_project.transform.compiled import compiled_months
from dagster_project.transform.increment import AFFECTED_DAY, AFFECTED_MONTH, base_of

_SHOWN = ("staging", "intermediate", "marts")
_COPIED = (
    "state.built",
    "state.built_batch",
    "state.period_day",
    "state.cost_line",
    "state.open_span",
    "state.schedule_use",
    "lake.run_parameters",
    "lake.feed_presence",
    "lake.sources",
    AFFECTED_DAY,
)


@contextmanager
def last_build(warehouse: Path, spill: Path, *, threads: int, memory_limit: str) -> Iterator[DuckDBEngine]:
    """Open the view on the last build; hold the warehouse meanwhile, since a run cannot start while the file is open.

    Raises
    ------
    InfrastructureError
        The warehouse may not be read, is damaged, or a reader of it is open elsewhere.
    """
    with closing(connect_memory(threads=threads, memory_limit=memory_limit, temp_directory=spill)) as connection:
        engine = DuckDBEngine(connection)
        engine.run("attach ':memory:' as warehouse")  # the name that compiled models give the database
        engine.run("use warehouse")
        try:
            engine.run("attach '" + str(warehouse).replace("'", "''") + "' as built (read_only)")
        except duckdb.Error as error:
            raise InfrastructureError(
                f"cannot open {warehouse}: {str(error).splitlines()[0]}; remedy: change its owner or mode if it may not be read, else"
                " delete it: a run rebuilds it from the lake"
            ) from error
        for schema in (*_SHOWN, "state", "lake", "arrived"):
            engine.run(f"create schema {schema}")
        relations = engine.rows(
            "select schema_name, table_name from duckdb_tables() where database_name = 'built' "
            "union all select schema_name, view_name from duckdb_views() where database_name = 'built' and not internal"
        )
        for schema, name in relations:
            if f"{schema}.{name}" in _COPIED:
                engine.run(f"create table {schema}.{name} as from built.{schema}.{name}")
            elif schema in _SHOWN:
                engine.run(f'create view {schema}."{name}" as from built.{schema}."{name}"')
        yield engine


def reason_for_all(engine: DuckDBEngine, code: str, assumptions: Assumptions) -> str:
    """Return why everything is built again, as far as the last build tells before a file is read; empty when it is not."""
    present = engine.columns(["state", "lake"])
    if "state.built" not in present or not engine.rows("from state.built"):
        return "the warehouse holds no published build"
    if engine.rows("select assumptions_sha256 from lake.run_parameters") != [(assumptions.content_hash(),)]:
        return "the assumptions changed"
    if base_of(engine, code) is None:
        return "code or models changed"
    return ""


def reason_after_reading(engine: DuckDBEngine, accepted: set[str]) -> str:
    """Return why everything is built again although code and assumptions are those of the last build, once `lake` is registered."""
    if {batch for (batch,) in engine.rows("select batch_id from state.built_batch")} - accepted:
        return "files that were loaded came again with other content or are read in another way"
    came = (
        "from lake.feed_presence as now join built.lake.feed_presence as before using (feed) where now.is_present and not before.is_present"
    )
    feeds = [str(feed) for (feed,) in engine.rows(f"select feed {came} order by feed")]
    if feeds:
        return f"{', '.join(feeds)}: the feed comes for the first time"
    scoped = "from lake.batches as now join state.built_batch as built using (batch_id) where now.key_scope <> built.key_scope"
    if engine.rows(f"select 1 {scoped} limit 1"):
        return "a mapping now declares differently whose keys a feed has (key_scope)"
    if engine.rows("select 1 from lake.batches where change_number > 0 and withdrawn_file is not null limit 1"):
        return "older rows came where keys were withdrawn, or currency, time zone or legal entity of the company changed"
    return "currency, time zone or legal entity of the company changed"


def affected_months(engine: DuckDBEngine) -> dict[date, str]:
    """Return the fiscal months that the build would rebuild, each with its reasons; schema `arrived` shows what arrived.

    The models that decide it are made here from the last build: staging as it would be, then what the months are read from.
    """
    models = compiled_months()
    engine.run(f"insert into {AFFECTED_DAY} {models.days}")
    for feed, (keys, sql) in models.staging.items():
        if engine.rows(f"select 1 from arrived.{feed} limit 1"):
            _take_in(engine, feed, ", ".join(keys), sql)
    for name, sql in models.others:
        engine.run(f"drop view {name}")
        engine.run(f"create table {name} as {sql}")
    found = engine.rows(f"select period_month, string_agg(distinct why, ', ' order by why) from {AFFECTED_MONTH} group by 1 order by 1")
    return {month: str(why) for month, why in found}


def _take_in(engine: DuckDBEngine, feed: str, keys: str, sql: str) -> None:
    """Show staging of a feed as the build would leave it: the model is asked of the keys that arrived only."""
    current = f"built.staging.stg_{feed}"
    engine.run(f"create temp table came_{feed} as from arrived.{feed}")
    replaced = f"select * exclude (is_overruled, is_id_shared) from {current} semi join came_{feed} using ({keys})"
    engine.run(f"create or replace view arrived.{feed} as from came_{feed} union all by name {replaced}")
    engine.run(f"create temp table now_{feed} as {sql}")
    rest = f"from {current} anti join came_{feed} using ({keys})"
    engine.run(f"create or replace view staging.stg_{feed} as {rest} union all by name from now_{feed}")
