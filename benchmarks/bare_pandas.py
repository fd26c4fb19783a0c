"""What many companies have today: one pandas script over the same canonical files, as a careful analyst writes it.

Run as `python -m benchmarks.bare_pandas LANDING OUTPUT_FOLDER`; writes Parquet and prints one JSON line with seconds per
stage and the sums that the bench compares with the company's truth, to the cent.

It computes, with the columns that matter: mart_cost_allocation_ticket and mart_cost_allocation_interaction (same rule, same
cents), mart_account_service_month, mart_account_sales_month, mart_cost_per_unit, mart_service_roi_month (without its bounds),
mart_customer_360 (basics), mart_concentration and mart_account_tier. It does not compute mart_cost_reconciliation, budgets,
mart_service_roi_account, mart_retention_month, mart_retention_cohort, mart_concentration_curve, and it does not write the
facts, which it has in memory only. Like the bare DuckDB script it checks nothing and assumes a valid company in UTC and EUR.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path

import pandas as pd

from benchmarks.pandas_script import cost, customers, facts


def main(landing: Path, output: Path) -> dict[str, object]:
    """Build the output folder and say how long each stage took."""
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    seconds: dict[str, float] = {}
    start = time.perf_counter()

    def done(stage: str) -> None:
        nonlocal start
        now = time.perf_counter()
        seconds[stage], start = round(now - start, 2), now

    read = facts.read_facts(landing)
    done("read and facts")
    allocation = cost.allocate(read, output)
    done("cost")
    service, sales = customers.service_month(read, allocation), customers.sales_month(read)
    tables = {
        "mart_account_service_month": service,
        "mart_account_sales_month": sales,
        "mart_cost_per_unit": customers.cost_per_unit(read, allocation),
    }
    tables["mart_service_roi_month"] = customers.roi_month(service, sales)
    tables["mart_customer_360"] = customers.customer_360(read, service, sales)
    done("customers")
    tables["mart_concentration"], tables["mart_account_tier"] = customers.concentration(read, service, sales)
    done("concentration")
    accounts = pd.CategoricalDtype(read.account_ids)
    for name, table in tables.items():
        if "account" in table:
            table = table.assign(account=pd.Categorical.from_codes(table["account"], dtype=accounts)).rename(
                columns={"account": "account_id"}
            )
        table.to_parquet(output / f"{name}.parquet", index=False, compression="zstd")
    done("write")
    rows = allocation.rows | {name: len(table) for name, table in tables.items()}
    sums = {
        "allocated_to_accounts": int(service["cost"].sum()),
        "roi_cost": int(tables["mart_service_roi_month"]["cost"].sum()),
        "net_revenue": int(sales["net_revenue"].sum()),
    }
    for name in ("ticket", "interaction"):
        parts = (
            pd.read_parquet(file, columns=["cost_minor"]) for file in sorted((output / f"mart_cost_allocation_{name}").glob("*.parquet"))
        )
        sums[f"allocated_to_{name}s"] = sum(int(part["cost_minor"].sum()) for part in parts)
    done("sums")
    return {"seconds": seconds, "sums": sums, "rows": rows}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]))))
