"""Metrics against figures computed elsewhere from real companies' files. Breaks: any definition that drifts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from dagster_project.metrics import concentration
from dagster_project.metrics.retention import cohort_counts, cohort_triangle, month_partition, order_history, partition_counts


@pytest.fixture(scope="module")
def facts(shared_data: Path) -> dict[str, Any]:
    return json.loads((shared_data / "facts.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def retail(shared_data: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(f"""
        create table sale as
        select CustomerID as customer, InvoiceNo as invoice, cast(InvoiceDate as date) as day,
            cast(round(cast(Quantity as decimal(18,0)) * cast(UnitPrice as decimal(18,3)) * 100) as bigint) as minor
        from read_csv('{shared_data}/retail/by-day/*.csv.gz', all_varchar = true)
        where CustomerID is not null and InvoiceNo not like 'C%' and cast(Quantity as int) > 0 and cast(UnitPrice as decimal(18,3)) > 0""")
    return connection


def concentrate(values: np.ndarray) -> pd.Series:
    return concentration.concentrate(pd.DataFrame({"value": values})).loc["value"]


def numbers(connection: duckdb.DuckDBPyConnection, sql: str) -> np.ndarray:
    return np.array(connection.execute(sql).fetchall(), np.int64)


@pytest.mark.spec("D29")
def test_retail_concentration(retail: duckdb.DuckDBPyConnection, facts: dict[str, Any]) -> None:
    result, known = concentrate(numbers(retail, "select sum(minor) from sale group by customer").ravel()), facts["retail"]
    assert (result.total, result.customers_count) == (round(known["S_revenue"] * 100), known["S_customers"])
    assert (result.top20_ceiling_count, round(result.top20_ceiling_share or 0, 6)) == (
        known["S_top20pct_customers"],
        known["S_top20pct_share"],
    )
    assert (result.customers_for_80_count, round(result.customers_for_80_share or 0, 5)) == (
        known["S_customers_for_80pct"],
        known["S_customers_for_80pct_share"],
    )
    assert round(result.gini_ratio or 0, 6) == known["S_gini"]


@pytest.mark.spec("C18")
def test_retail_retention(retail: duckdb.DuckDBPyConnection, facts: dict[str, Any]) -> None:
    known = facts["retail"]
    days = retail.execute("""
        select customer as account_id, day as order_date, count(distinct invoice) as orders, null::date as created_date from sale
        group by customer, day""").df()  # fmt: skip
    # An invoice never spans two days here, so invoices of a day add up.
    starts = pd.date_range("2010-12-01", periods=13, freq="MS", unit="s")
    periods = pd.DataFrame({"start_date": starts, "end_date": starts + pd.offsets.MonthEnd(0), "is_complete_period": np.arange(13) < 12})
    watermark, begin = days["order_date"].max(), days["order_date"].min()
    history = order_history(days, periods, 365, begin)
    history["is_first_ever"] = history["is_first"]  # as the published facts take it
    months = month_partition(partition_counts(history, periods, 365, watermark), periods, 365, watermark, begin)
    assert months["ordering_count"].tolist() == list(known["S_active_customers_by_month"].values())
    last = months.iloc[-1]
    assert (int(last["repeat_to_date_rate_den"]), round(last["repeat_to_date_rate"], 6)) == (
        known["S_customers"],
        known["S_repeat_rate_2plus_invoices"],
    )
    assert round(last["repeat_days_to_date_rate"], 6) == known["S_repeat_rate_2plus_days"]
    cohort = cohort_triangle(cohort_counts(history), periods, watermark).query("cohort_number == 0")
    assert cohort["cohort_count"].unique().tolist() == [known["S_cohort_2010_12"]["size"]]
    assert cohort["active_count"].tolist()[1:] == known["S_cohort_2010_12"]["active_1_to_12_months_later"]


def test_bank_callers(shared_data: Path, facts: dict[str, Any]) -> None:
    source = f"read_csv('{shared_data}/bank/data_anonymous_bank_february.txt.gz', delim = '\t', all_varchar = true)"
    result = concentrate(numbers(duckdb.connect(), f"select count(*) from {source} where customer_id <> '0' group by customer_id").ravel())
    assert (result.customers_count, round(result.top20_ceiling_share or 0, 6)) == (
        facts["bank"]["identified_customers"], facts["bank"]["top20pct_identified_callers_share"],
    )  # fmt: skip


def test_olist_payers(shared_data: Path, facts: dict[str, Any]) -> None:
    folder = f"{shared_data}/olist/olist"
    result = concentrate(numbers(duckdb.connect(), f"""
        select sum(cast(round(cast(payment_value as decimal(18,2)) * 100) as bigint))
        from read_csv('{folder}_order_payments_dataset.csv.gz', all_varchar = true)
        join read_csv('{folder}_orders_dataset.csv.gz', all_varchar = true) using (order_id)
        join read_csv('{folder}_customers_dataset.csv.gz', all_varchar = true) using (customer_id)
        group by customer_unique_id""").ravel())  # fmt: skip
    assert result.total == round(facts["olist"]["payments_sum"] * 100)
    assert round(result.top20_ceiling_share or 0, 6) == facts["olist"]["top20pct_share_of_payments"]
