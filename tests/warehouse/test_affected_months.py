"""Every month whose rows differ after a delivery is rebuilt, and hardly any other. Breaks: a month keeps yesterday's truth.

The oracle is two builds of everything, before and after; rows come from the contracts of all feeds that models read.
"""

from __future__ import annotations

import re
import runpy
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
from dbt.contracts.graph.manifest import Manifest

from dagster_project.contracts.model import load_contract
from dagster_project.engines.duckdb_engine import DuckDBEngine
from dagster_project.transform import preview, project
from dagster_project.transform.increment import keep

HERE = Path(__file__)
make_lake = runpy.run_path(str(HERE.with_name("conftest.py")))["make_lake"]
delivery = runpy.run_path(str(HERE.with_name("contract_rows.py")))["delivery"]
Build = Callable[..., duckdb.DuckDBPyConnection]
Rows, Months = dict[str, list[dict[str, Any]]], set[date]
NIGHTLY = [pytest.mark.slow, pytest.mark.nightly]
KINDS = ("account", "contact", "ticket", "interaction", "offer", "order")
NO_KEY_OF_MODELS = {
    ("accounts", "parent_account_id"): "a name in dim_account, which each run builds again",
    **{
        ("survey_invitations", f"{kind}_id"): "only fct_survey_invitation reads it, which each run builds completely"
        for kind in ("account", "contact", "ticket", "interaction", "order")
    },
    ("offers", "account_id"): "no model reads it; an accepted offer is of the account of the order",
    ("orders", "parent_order_id"): "no model reads it",
    ("tickets", "order_id"): "is in fct_ticket as the ticket says it; no row of the order is read",
    ("tickets", "parent_ticket_id"): "no model reads it",
}


@pytest.fixture(scope="module")
def monthly() -> list[str]:
    """Tables whose months a run replaces."""
    nodes = [node for node in project.manifest()["nodes"].values() if node["resource_type"] == "model"]
    return [f"{node['schema']}.{node['name']}" for node in nodes if node["config"]["materialized"] == "monthly"]


def contents(connection: duckdb.DuckDBPyConnection, tables: list[str]) -> dict[tuple[str, date], str]:
    """Hash of the rows of each table and month."""
    rows = " union all ".join(
        f"select '{table}', period_month, sum(hash(t)::hugeint)::varchar || '/' || count(*) from {table} as t"
        " where period_month is not null group by period_month"
        for table in tables
    )
    return {(table, month): content for table, month, content in connection.execute(rows).fetchall()}


class Walk:
    """Deliveries one after the other: the months that differ between two full builds, and those that the declarations name."""

    def __init__(self, quick: Build, declared: Mapping[str, Any], monthly: list[str], folder: Path) -> None:
        self.quick, self.declared, self.monthly, self.folder = quick, declared, monthly, folder
        self.needed: list[Months] = []
        self.named: list[dict[date, str]] = []
        self.others: list[dict[str, Months]] = []  # what other statements of days name, by delivery

    def go(self, seed: int, deliveries: int, statements: Mapping[str, str] | None = None) -> None:
        """Walk; `statements` are other statements of days, asked as well."""
        random, before, every = Random(seed), {}, dict[str, list[Any]]()
        for number in range(deliveries):
            folder = self.folder / f"{seed}-{number}"
            folder.mkdir()
            came, days = delivery(self.declared, random, number), {}
            if number:
                days = self._ask(self.folder / f"{seed}-{number - 1}" / "warehouse.duckdb", came, statements or {})
            for feed, made in came.items():
                every.setdefault(feed, []).extend(made)
            with self.quick(every, file=folder / "warehouse.duckdb") as connection:
                keep(DuckDBEngine(connection))
                after = contents(connection, self.monthly)
                month_of = dict(connection.execute("select day, period_month from intermediate.int_core__period_day").fetchall())
            if number:
                self.needed.append({month for (_, month), _ in before.items() ^ after.items()})
                self.others.append({name: {month_of[day] for day in found if day in month_of} for name, found in days.items()})
            before = after

    def _ask(self, file: Path, came: Rows, statements: Mapping[str, str]) -> dict[str, set[date]]:
        """Ask the last build which months these rows affect, with the statement and the models of a run."""
        with preview.last_build(file, self.folder / "spill", threads=1, memory_limit="1GB") as engine, duckdb.connect() as other:
            make_lake(other, came, {})
            for feed in self.declared:
                made = other.execute(f"from arrived.{feed}").to_arrow_table()  # noqa: F841  DuckDB finds it by name
                engine.connection.execute(f"create table arrived.made_{feed} as from made")
                engine.run(f"create view arrived.{feed} as from arrived.made_{feed}")
            days = {name: {day for (day,) in engine.rows(statement)} for name, statement in statements.items()}
            self.named.append(preview.affected_months(engine))
        return days


@pytest.mark.parametrize(("seeds", "most"), [((5,), 2.0), pytest.param((1, 2, 3, 4), 1.5, marks=NIGHTLY)])  # one walk alone is noisy
def test_months_that_differ_are_rebuilt_and_hardly_any_other(
    quick: Build, declared: dict[str, Any], monthly: list[str], tmp_path: Path, seeds: tuple[int, ...], most: float
) -> None:
    walk = Walk(quick, declared, monthly, tmp_path)
    for seed in seeds:
        walk.go(seed, deliveries=10)  # every feed comes
    missed = [sorted(months - named.keys()) for months, named in zip(walk.needed, walk.named, strict=True)]
    assert missed == [[] for _ in missed]
    named, needed = sum(map(len, walk.named)), sum(map(len, walk.needed))
    assert 0 < named <= most * needed, (named, needed)


STANDING: Rows = {
    "interactions": [{"interaction_id": "I0", "started_at": "2025-01-05 10:00:00+00", "channel": "email"}],  # the feed has begun
    "offers": [{"offer_id": "F1", "interaction_id": "I1", "offer_kind": "save", "offered_at": "2025-05-30 10:00:00+00"}],
    "orders": [
        # In Berlin it is February already: the rate of February values the order, and what came back of it in June.
        {"order_id": "O1", "ordered_at": "2025-01-31 23:30:00+00", "currency_code": "USD"},
        {"order_id": "O2", "ordered_at": "2025-03-10 10:00:00+00", "currency_code": "EUR", "offer_id": "F1"},
        {"order_id": "O3", "ordered_at": "2025-04-10 10:00:00+00", "currency_code": "EUR", "offer_id": "F2"},
        {"order_id": "O4", "ordered_at": "2025-05-10 10:00:00+00", "currency_code": "EUR"},
    ],
    "refunds": [{"refund_id": "R1", "order_id": "O1", "refunded_at": "2025-06-05 10:00:00+00", "refund_amount": 1, "currency_code": "USD"},
                # In another currency than the order: goods that came back are worth what they were at the rate of the order.
                {"refund_id": "R2", "order_id": "O1", "refunded_at": "2025-07-05 10:00:00+00", "refund_amount": 1, "currency_code": "EUR",
                 "is_restocked": True, "returned_quantity": 1, "line_id": "1"}],
    "payments": [{"payment_id": "P1", "order_id": "O4", "paid_at": "2025-08-05 10:00:00+00", "payment_amount": 1, "currency_code": "EUR"}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("came", "months"),
    [
        ({"fx_rates": [{"rate_date": "2025-02-01", "from_currency_code": "USD", "to_currency_code": "EUR", "rate_type": "average",
                        "rate_source": "s", "exchange_rate": 2}]}, {2, 6, 7}),
        ({"interactions": [{"interaction_id": "I1", "started_at": "2025-02-20 10:00:00+00", "channel": "phone"}]}, {2, 3}),
        ({"offers": [{"offer_id": "F2", "offer_kind": "save", "offered_at": "2025-04-01 10:00:00+00"}]}, {4}),
        ({"order_lines": [{"order_id": "O1", "line_id": "1", "quantity": 1, "unit_price": 1, "net_amount": 1, "unit_cost": 1}]}, {2, 6, 7}),
        ({"orders": [{"order_id": "O4", "ordered_at": "2025-05-10 10:00:00+00", "currency_code": "EUR", "is_test": True}]}, {5, 8}),
    ],
    ids=["rate_of_the_order", "call_of_the_offer", "offer", "cost_of_goods_that_came_back", "order_that_counts_no_more"],
)  # fmt: skip
def test_what_orders_hang_on_names_their_months_when_it_comes_late(
    quick: Build, declared: dict[str, Any], monthly: list[str], tmp_path: Path, came: Rows, months: set[int]
) -> None:
    walk = Walk(quick, declared, monthly, tmp_path)
    with quick(STANDING, file=tmp_path / "warehouse.duckdb") as connection:
        keep(DuckDBEngine(connection))
    walk._ask(tmp_path / "warehouse.duckdb", came, {})
    assert {month for month, why in walk.named[0].items() if why == "records arrived"} == {date(2025, month, 1) for month in months}


ANSWERS: Rows = {
    "survey_responses": [
        {"response_id": f"R{month}", "question_key": "q", "survey_metric": "csat", "score": 1, "account_id": "a",
         "responded_at": f"2025-0{month}-28 10:00:00+00", **more}
        for month, more in ((1, {"invitation_id": "V"}), (2, {"ticket_id": "T"}), (3, {"interaction_id": "I"}), (4, {}),
                            (5, {"ticket_id": "U"}), (6, {"invitation_id": "W", "ticket_id": "U"}))
    ]
}  # fmt: skip


@pytest.mark.parametrize(
    ("more", "responded_at", "months", "counted"),
    [
        ({"invitation_id": "V"}, "2025-02-02", {1, 2}, "R2 R3 R4 R6 LATE"),
        ({"ticket_id": "T"}, "2025-04-02", {2, 4}, "R1 R3 R4 R6 LATE"),
        ({"interaction_id": "I"}, "2025-04-02", {3, 4}, "R1 R2 R4 R6 LATE"),
        # It takes the place of R6, so that R5 is the latest of ticket U again.
        ({"invitation_id": "W"}, "2025-06-30", {5, 6}, "R1 R2 R3 R4 R5 LATE"),
        ({"ticket_id": "T"}, "2025-01-02", {1, 2}, "R1 R2 R3 R4 R6"),
    ],
    ids=["invitation", "ticket", "contact", "chain", "an_earlier_one_comes_late"],
)
def test_a_later_answer_rebuilds_the_month_of_the_one_that_it_replaces(
    quick: Build,
    declared: dict[str, Any],
    monthly: list[str],
    tmp_path: Path,
    more: dict[str, str],
    responded_at: str,
    months: set[int],
    counted: str,
) -> None:
    came: Rows = {
        "survey_responses": [
            ANSWERS["survey_responses"][0]
            | {"response_id": "LATE", "invitation_id": None, "responded_at": f"{responded_at} 10:00:00+00"}
            | more
        ]
    }
    walk = Walk(quick, declared, monthly, tmp_path)
    with quick(ANSWERS, file=tmp_path / "warehouse.duckdb") as connection:
        keep(DuckDBEngine(connection))
        before = contents(connection, monthly)
    walk._ask(tmp_path / "warehouse.duckdb", came, {})
    named = {month for month, why in walk.named[0].items() if why == "records arrived"}
    assert named == {date(2025, month, 1) for month in months}
    with quick({"survey_responses": [*ANSWERS["survey_responses"], *came["survey_responses"]]}) as connection:
        assert {month for (_, month), _ in before.items() ^ contents(connection, monthly).items()} <= named
        found = "select response_id from marts.fct_survey_response where is_counted order by response_id <> 'LATE' desc, response_id"
        assert " ".join(name for (name,) in connection.execute(found).fetchall()) == counted
        total = "select sum(csat_response_count + csat_unscaled_count)::int from marts.mart_account_service_month"
        assert connection.execute(total).fetchone() == (len(counted.split()),)


@pytest.mark.slow
@pytest.mark.nightly
def test_each_declaration_that_is_dropped_makes_a_month_missing(
    quick: Build, staging: list[dict[str, Any]], declared: dict[str, Any], monthly: list[str], tmp_path: Path
) -> None:
    statements = {}
    for node in staging:
        affects = node["config"]["meta"]["affects"]
        for word in ("days", "spans", "keys"):
            for at, dropped in enumerate(affects.get(word) or []):
                feed = node["name"].removeprefix("stg_")

                def drop(of_feeds: dict[str, Any], feed: str = feed, word: str = word, at: int = at) -> None:
                    del of_feeds[feed]["affects"][word][at]

                statements[f"{feed}: {word}: {dropped}"] = compiled_with(drop, tmp_path)
    walk, missing = Walk(quick, declared, monthly, tmp_path), dict(statements)
    for seed in range(20, 40):
        first = len(walk.needed)
        walk.go(seed, 9, missing)
        for needed, named, others in zip(walk.needed[first:], walk.named[first:], walk.others[first:], strict=True):
            differing = {month for month, why in named.items() if why != "records arrived"}
            for name, found in others.items():
                if needed - found - differing:
                    missing.pop(name, None)
        if not missing:
            break
    assert sorted(missing) == []


def compiled_with(change: Callable[[dict[str, Any]], None], folder: Path) -> str:
    """The statement of days that dbt makes of the project with other declarations; `change` gets those of each feed."""
    manifest = Manifest.from_msgpack(project.prepared_file("msgpack").read_bytes())
    of_feeds = {node.name.removeprefix("stg_"): node.config.meta for node in manifest.nodes.values() if node.name.startswith("stg_")}
    change(of_feeds)
    manifest.build_flat_graph()
    command = ["compile", "--quiet", "--no-print", "--no-write-json", "--inline", "{{ affected_statement() }}"]
    outcome = project._invoke(command, target="duckdb", warehouse=folder / "compiled" / "warehouse.duckdb", manifest=manifest)
    if not outcome.success:
        raise ValueError(str(outcome.exception or outcome.result[0].message))
    (found,) = outcome.result
    return str(found.node.compiled_code)


def test_every_feed_that_a_model_reads_says_which_months_it_changes(staging: list[dict[str, Any]]) -> None:
    silent = [
        f"{node['name']}: a model reads it, but it does not say which months its rows change; remedy: `affects` in {node['patch_path']},"
        " words in dbt/macros/affected_statement.sql"
        for node in staging
        if not node["config"]["meta"].get("affects")
    ]
    assert silent == []


def test_every_id_that_connects_rows_is_declared(declared: dict[str, Any]) -> None:
    forgotten = []
    for feed, affects in declared.items():
        named = {key["column"] for key in affects.get("keys") or []}
        for name in load_contract(feed).names:
            is_key = any(name.endswith(f"{kind}_id") for kind in KINDS) and not affects.get("by_difference")
            if is_key and name not in named and (feed, name) not in NO_KEY_OF_MODELS:
                forgotten.append(f"stg_{feed}: {name} connects rows, but `affects` does not name it; remedy: add it, or a reason here")
    assert forgotten == []


def test_declarations_name_columns_of_their_contract(declared: dict[str, Any]) -> None:
    for feed, affects in declared.items():
        known = set(load_contract(feed).names)
        columns = [re.findall(r"\w+", key["column"])[0] for key in affects.get("keys") or []]  # an expression begins with its column
        assert {*columns, *(affects.get("when_changed") or [])} <= known, feed
        assert affects.get("by_difference") or affects.get("keys") is not None, feed


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ([{"key": "a", "column": "refund_id", "role": "both"}, {"key": "b", "column": "order_id", "role": "both"}], "in a circle: a, b"),
        (
            [{"key": "a", "column": "order_id", "role": "follows"}],
            "unknown role follows of order_id; known: hangs, moves, hangs_moves, both",
        ),
    ],
)
def test_declarations_that_cannot_be_followed_are_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], keys: list[dict[str, str]], message: str
) -> None:
    with pytest.raises(ValueError, match="inline"):
        compiled_with(lambda of_feeds: of_feeds["refunds"].update({"affects": {"keys": keys}}), tmp_path)
    assert message in capsys.readouterr().out
