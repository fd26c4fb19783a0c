"""The floor: a bare DuckDB script that loads the same canonical files and computes the same published tables in plain SQL.

No checks, no ledger, no quarantine, no versions of the copy, no extract; it may assume a valid company with all feeds, one
time zone and one reporting currency. Run as `python benchmarks/bare_duckdb.py LANDING OUTPUT.duckdb`; prints one JSON line
with seconds per stage and the sums that `bench.py` compares with the company's truth.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import duckdb
import yaml

HERE = Path(__file__).resolve().parent
CONTRACTS = HERE.parent / "expectations" / "contracts"
STAGES = ("core", "cost", "cost_marts", "customer", "analytics")
_LATEST = """
create temp table {feed} as
with repeated as (select {keys} from read_{feed} group by {keys} having count(*) > 1)
select * from read_{feed} where ({keys}) not in (from repeated)
union all
(
    select * from read_{feed} where ({keys}) in (from repeated)
    qualify row_number() over (partition by {keys} order by source_updated_at desc) = 1
)
"""


def load(connection: duckdb.DuckDBPyConnection, landing: Path) -> None:
    """Read every feed once, typed by its contract, and keep the latest version of each key."""
    for path in sorted(CONTRACTS.glob("*.odcs.yaml")):
        schema = yaml.safe_load(path.read_text(encoding="utf-8"))["schema"][0]
        feed = schema["name"]
        files = sorted((landing / "canonical" / feed).glob("*/*.csv"))
        if not files:
            continue
        with files[0].open(encoding="utf-8") as first:
            header = [name.strip('"') for name in first.readline().rstrip("\n").split(",")]
        contract = {column["name"]: column for column in schema["properties"]}
        # Every instant of the demo company is written in UTC, so a plain timestamp is the same and cheaper.
        types = {name: contract[name]["physicalType"].replace("timestamptz", "timestamp") for name in header}
        keys = ", ".join(column["name"] for column in schema["properties"] if column.get("primaryKey"))
        columns = ", ".join(f"{name}: '{kind}'" for name, kind in types.items())
        names = ", ".join(f"'{file}'" for file in files)
        connection.execute(
            f"create temp table read_{feed} as from read_csv([{names}], columns = {{{columns}}}, auto_detect = false, header = true,"
            " delim = ',', quote = '\"', escape = '\"', nullstr = '')"
        )
        connection.execute(_LATEST.format(feed=feed, keys=keys))
        connection.execute(f"drop table read_{feed}")


def sums(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Whole numbers that must equal the truth of the company."""
    row = connection.execute("""
        select (select (sum(cost_amount) * 100)::bigint from marts.mart_cost_allocation_ticket),
               (select (sum(cost_amount) * 100)::bigint from marts.mart_cost_allocation_interaction),
               (select (sum(service_cost_amount) * 100)::bigint from marts.mart_account_service_month),
               (select (sum(abs(difference_amount)) * 100)::bigint from marts.mart_cost_reconciliation),
               (select (sum(net_revenue_amount) * 100)::bigint from marts.mart_account_sales_month),
               (select (sum(service_cost_amount) * 100)::bigint from analytics.mart_service_roi_month where window_kind = 'month')
    """).fetchone()
    names = ("allocated_to_tickets", "allocated_to_interactions", "allocated_to_accounts", "difference", "net_revenue", "roi_cost")
    return dict(zip(names, row or (), strict=True))


def main(landing: Path, output: Path) -> dict[str, object]:
    """Build the output file and say how long each stage took."""
    output.unlink(missing_ok=True)
    connection = duckdb.connect(str(output), config={"threads": "2", "memory_limit": "4GB", "preserve_insertion_order": "false"})
    connection.execute("create schema marts; create schema analytics")
    seconds: dict[str, float] = {}
    start = time.perf_counter()
    load(connection, landing)
    for stage in STAGES:
        now = time.perf_counter()
        seconds["load" if not seconds else STAGES[len(seconds) - 1]] = round(now - start, 2)
        start = now
        connection.execute((HERE / "bare" / f"{stage}.sql").read_text(encoding="utf-8"))
    seconds[STAGES[-1]] = round(time.perf_counter() - start, 2)
    start = time.perf_counter()
    connection.execute("checkpoint")
    seconds["write"] = round(time.perf_counter() - start, 2)
    tables = connection.execute(
        "select schema_name || '.' || table_name, estimated_size from duckdb_tables() where not temporary order by 1"
    ).fetchall()
    result = {"seconds": seconds, "sums": sums(connection), "rows": dict(tables), "bytes": output.stat().st_size}
    connection.close()
    return result


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]))))
