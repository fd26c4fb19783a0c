"""A warehouse built by dbt, in process and once per company: tables of the lake made from the contracts, filled by the test."""

from __future__ import annotations

import runpy
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from graphlib import TopologicalSorter
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import jinja2
import pytest

from dagster_project.analytics.subject import run, subjects
from dagster_project.contracts.model import feeds, load_contract
from dagster_project.engines.duckdb_engine import DuckDBEngine
from dagster_project.transform import project
from dagster_project.transform.increment import forget

Rows = Mapping[str, Sequence[Mapping[str, Any]]]
Render = Callable[[str], str]
Build = Callable[..., duckdb.DuckDBPyConnection]
Found = Callable[[duckdb.DuckDBPyConnection, str], list[tuple[Any, ...]]]

COMPANIES = runpy.run_path(str(Path(__file__).with_name("company_rows.py")))  # tests are no package, so no import
CONTRACT = runpy.run_path(str(Path(__file__).with_name("contract_rows.py")))
_PARAMETERS = {
    "reporting_currency_code": "EUR", "company_time_zone": "Europe/Berlin", "legal_entity": "COMPANY", "fiscal_year_start_month": 1,
    "activity_window_days": 365, "offer_window_days": 30, "tier_a_share": "0.8", "tier_b_share": "0.95", "top_customer_share": "0.2",
    "value_share_target": "0.8", "document_difference_limit_amount": "10000.00",
    "immediate_survey_minutes": 15, "immediate_survey_other_minutes": 1440,
    "acsi_overall_weight": "0.3885", "acsi_expectation_weight": "0.3190", "acsi_ideal_weight": "0.2925",
    "normal_shift_hours": "8", "ramp_months": 6, "ramp_first_share": "0.4", "ramp_last_share": "0.9",
    "handle_limit_seconds": "28800", "answer_target_seconds": "20", "short_abandon_seconds": "5", "company_country_code": None,
    "unsolved_resolution_codes": "no_solution", "unresolvable_issue_families": "", "resolution_price_amount": None,
    "customer_hour_value_amount": None,
    "pool_drivers": "telephony=calls,licences=seats,self_service=sessions,p1=calls,p2=calls,p3=seats,p4=seats,p5=sessions,p6=sessions",
    "small_customer_gap_share": "0.10", "ledger_posted_share": "0.5", "latest_delivery_date": "2025-04-01", "assumptions_sha256": "0" * 64,
}  # fmt: skip
_TYPES = {
    "fiscal_year_start_month": "int",
    "activity_window_days": "int",
    "offer_window_days": "int",
    "immediate_survey_minutes": "int",
    "immediate_survey_other_minutes": "int",
    "handle_limit_seconds": "bigint",
    "ramp_months": "int",
    "normal_shift_hours": "decimal(9, 4)",
    "answer_target_seconds": "bigint",
    "short_abandon_seconds": "bigint",
    "document_difference_limit_amount": "decimal(18, 3)",
    "resolution_price_amount": "decimal(18, 3)",
    "customer_hour_value_amount": "decimal(18, 3)",
    "latest_delivery_date": "date",
}
LAYERS = ["+path:models/marts"]  # what they stand on comes along


def make_lake(connection: duckdb.DuckDBPyConnection, rows: Rows, parameters: Mapping[str, Any]) -> None:
    """Create schema lake from the contracts, with the given rows and each column's default where a row is silent."""
    for schema in ("lake", "arrived"):
        connection.execute(f"create schema {schema}")
    for feed in feeds():
        columns = load_contract(feed).columns
        system = "source_system varchar, batch_id varchar, record_number bigint, row_hash bigint, delivery_date date, "
        system += "change_number bigint, file_order varchar, key_scope varchar, is_withdrawn boolean"
        connection.execute(f"create table arrived.{feed} ({', '.join(f'{c.name} {c.sql_type}' for c in columns)}, {system})")
        defaults = {c.name: c.default for c in columns if c.default is not None}
        many = defaultdict[tuple[str, ...], list[list[Any]]](list)
        for number, row in enumerate(rows.get(feed, ())):
            marks = {
                "source_system": "canonical",
                "batch_id": "b",
                "record_number": number,
                "row_hash": number,
                "delivery_date": "2025-04-01",
            }
            marks |= {"change_number": 0, "file_order": "f", "is_withdrawn": False}
            full = {**defaults, **marks, **row}
            full.setdefault("key_scope", full["source_system"] if load_contract(feed).key_scope == "system" else "")
            many[tuple(full)].append(list(full.values()))
        for names, values in many.items():
            connection.executemany(f"insert into arrived.{feed} ({', '.join(names)}) values ({', '.join('?' * len(names))})", values)
    connection.execute("create table lake.feed_presence (feed varchar, is_present boolean, row_count bigint)")
    connection.executemany(
        "insert into lake.feed_presence values (?, ?, ?)", [[feed, bool(rows.get(feed)), len(rows.get(feed, ()))] for feed in feeds()]
    )
    given = {**_PARAMETERS, **parameters}
    connection.execute("create table lake.sources (source_name varchar, feed varchar, last_delivery_date date)")
    last = given.pop("sources", None) or {f"canonical/{feed}": given["latest_delivery_date"] for feed in feeds() if rows.get(feed)}
    for source, day in last.items():
        connection.execute("insert into lake.sources values (?, ?, ?)", [source, source.rpartition("/")[2], day])
    types = {name: _TYPES.get(name, "decimal(9, 4)" if name.endswith(("share", "target", "weight")) else "varchar") for name in given}
    connection.execute(f"create table lake.run_parameters ({', '.join(f'{name} {kind}' for name, kind in types.items())})")
    connection.execute(f"insert into lake.run_parameters values ({', '.join('?' * len(given))})", list(given.values()))
    forget(DuckDBEngine(connection))


def _built(folder: Path, rows: Rows, **parameters: Any) -> Path:
    file = folder / "warehouse.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        make_lake(connection, rows, parameters)
    project.build(file, LAYERS, lambda event: None)
    return file


def _compiled(folder: Path, layers: Sequence[str]) -> list[tuple[str, str, str]]:
    """Compile models: schema.name, `table` or `view`, and SQL, in the order of a full build."""
    project.prepare()
    parsed = project._parsed_manifest(project._prepared("duckdb", "msgpack"))
    command = ["compile", "--quiet", "--full-refresh", "--no-write-json", "--select", *layers, "--exclude", "resource_type:test"]
    outcome = project._invoke(command, target="duckdb", warehouse=folder / "warehouse.duckdb", manifest=parsed)
    assert outcome.success, outcome.exception
    nodes = {result.node.unique_id: result.node for result in outcome.result if result.node.resource_type == "model"}
    order = TopologicalSorter({name: [one for one in node.depends_on.nodes if one in nodes] for name, node in nodes.items()})
    kinds = {name: "view" if node.config.materialized == "view" else "table" for name, node in nodes.items()}
    return [(f"{nodes[name].schema}.{nodes[name].name}", kinds[name], nodes[name].compiled_code) for name in order.static_order()]


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str, str]]:
    """Compile every model up to the marts once."""
    return _compiled(tmp_path_factory.mktemp("compiled"), LAYERS)


@pytest.fixture(scope="session")
def quick(compiled: list[tuple[str, str, str]]) -> Build:
    """Build a company in memory from the compiled models, without dbt and its tests: half a second instead of many."""

    def build(rows: Rows, file: Path | None = None, **parameters: Any) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(str(file or ":memory:"))  # a file is called warehouse.duckdb: its cursors find the database by its name
        if file is None:
            connection.execute("attach ':memory:' as warehouse; use warehouse")
        connection.execute("set TimeZone = 'UTC'; set threads = 1")
        make_lake(connection, rows, parameters)
        for schema in ("staging", "intermediate", "marts"):
            connection.execute(f"create schema {schema}")
        for name, kind, sql in compiled:
            connection.execute(f"create {kind} {name} as {sql}")
        return connection

    return build


@pytest.fixture(scope="session")
def reporting(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str, str]]:
    """Compile the models of reporting once."""
    return _compiled(tmp_path_factory.mktemp("reporting"), ["path:models/reporting"])


@pytest.fixture(scope="session")
def figures(quick: Build, reporting: list[tuple[str, str, str]], tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Build a company through analytics to the tables of reporting."""

    def build(rows: Rows, **parameters: Any) -> duckdb.DuckDBPyConnection:
        file = tmp_path_factory.mktemp("figures") / "warehouse.duckdb"
        connection = quick(rows, file, **{"taken_back_days": 30} | parameters)
        connection.execute("create schema reporting")
        engine = DuckDBEngine(connection)
        for subject in subjects():
            run(subject, engine)
        for name, kind, sql in reporting:
            connection.execute(f"create {kind} {name} as {sql}")
        return connection

    return build


@pytest.fixture(scope="session")
def staging() -> list[dict[str, Any]]:
    """List the nodes of the staging models."""
    return [node for node in project.manifest()["nodes"].values() if node["schema"] == "staging" and node["resource_type"] == "model"]


@pytest.fixture(scope="session")
def declared(staging: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Give `affects` of each feed that a model reads."""
    return {node["name"].removeprefix("stg_"): node["config"]["meta"].get("affects", {}) for node in staging}


@pytest.fixture(scope="session")
def complete_figures(figures: Build) -> duckdb.DuckDBPyConnection:
    """Build the company that has every feed, through to reporting."""
    return figures(COMPANIES["WHOLE"], latest_delivery_date="2025-03-31")


@pytest.fixture(scope="session")
def generated_figures(figures: Build) -> duckdb.DuckDBPyConnection:
    """Build rows of every feed made from its contract: rates, accounts, segments, scales and instants are missing all over them."""
    random = Random(7)
    rows = {feed: CONTRACT["rows"](feed, 8 if feed in {"fiscal_periods", "fx_rates"} else 60, random, 0) for feed in feeds()}
    return figures(rows, latest_delivery_date="2025-12-28")


def _opened(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(file), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


@pytest.fixture(scope="session")
def whole_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the company that has every feed; its file."""
    return _built(tmp_path_factory.mktemp("whole"), COMPANIES["WHOLE"], latest_delivery_date="2025-03-31")


@pytest.fixture(scope="session")
def whole(whole_file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the company that has every feed."""
    yield from _opened(whole_file)


@pytest.fixture(scope="session")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Build a company that has calls and nothing else."""
    yield from _opened(
        _built(tmp_path_factory.mktemp("bank"), COMPANIES["BANK"], company_time_zone="Asia/Jerusalem", reporting_currency_code="XXX")
    )


@pytest.fixture(scope="session")
def oakland(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Build a company that has budgets by fiscal year and nothing else."""
    yield from _opened(
        _built(
            tmp_path_factory.mktemp("oakland"), COMPANIES["OAKLAND"],
            reporting_currency_code="USD", company_time_zone="America/Los_Angeles",
            latest_delivery_date="2020-06-30", fiscal_year_start_month=7,
        )
    )  # fmt: skip


@pytest.fixture(scope="session")
def hamilton() -> Callable[[int, list[int]], list[int]]:
    """Give the largest-remainder split in exact fractions: an oracle that shares no code with the macro."""

    def split(amount: int, weights: list[int]) -> list[int]:
        quotas = [Fraction(abs(amount) * weight, sum(weights)) for weight in weights]
        shares = [quota.numerator // quota.denominator for quota in quotas]
        order = sorted(range(len(weights)), key=lambda i: (shares[i] - quotas[i], -weights[i], i))
        for i in order[: abs(amount) - sum(shares)]:
            shares[i] += 1
        return [share if amount >= 0 else -share for share in shares]

    return split


@pytest.fixture(scope="session")
def golden() -> dict[int, list[int]]:
    """Cents of six tickets with 10, 20, 30, 40, 50 and 51 minutes, by pool amount."""
    return {
        8000_00: [398_01, 796_02, 1194_03, 1592_04, 1990_05, 2029_85],
        1200_00: [59_70, 119_40, 179_10, 238_81, 298_51, 304_48],
        500_00: [24_87, 49_75, 74_63, 99_50, 124_38, 126_87],
        300_00: [14_92, 29_85, 44_78, 59_70, 74_63, 76_12],
    }


@pytest.fixture(scope="session")
def render() -> Render:
    """Render Jinja SQL with the project's own macros, as dbt does on DuckDB, without starting dbt."""
    schemas = {node["name"]: node["schema"] for node in project.manifest()["nodes"].values() if node["resource_type"] == "model"}
    macros = "\n".join(file.read_text(encoding="utf-8") for file in sorted((project.DBT_DIR / "macros").glob("*.sql")))
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])

    class Adapter:
        def dispatch(self, name: str) -> Any:
            return getattr(environment.from_string(macros, globals=names).module, f"default__{name}")

    class Dbt:
        def type_string(self) -> str:
            return "varchar"

    names: dict[str, Any] = {
        "adapter": Adapter(),
        "dbt": Dbt(),
        "return": lambda text: text,
        "config": lambda **_settings: "",
        "ref": lambda model: f"{schemas[model]}.{model}",
        "source": lambda schema, table: f"{schema}.{table}",
    }
    return lambda sql: environment.from_string(macros + sql, globals=names).render().strip()


@pytest.fixture
def found(render: Render) -> Found:
    """Rows that a singular test returns on a built company."""

    def ask(company: duckdb.DuckDBPyConnection, test: str) -> list[tuple[Any, ...]]:
        return company.execute(render((project.DBT_DIR / "tests" / f"{test}.sql").read_text(encoding="utf-8"))).fetchall()

    return ask
