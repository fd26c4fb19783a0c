"""A demo company and its files as tables, shared by the tests that recompute its truth."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from demo_company.company import write_company
from tests.demo.company_files import ACCOUNTS, ALL_KEYS, DIALECT, MONTHS, SEED, column_types


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    landing = tmp_path_factory.mktemp("demo") / "landing"
    return landing, write_company(landing, ACCOUNTS, MONTHS, SEED)


@pytest.fixture(scope="session")
def files(company: tuple[Path, dict[str, Any]], project_dir: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Views over the files, typed by the contracts: `all_<feed>` every row, `<feed>` the latest version of each key."""
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    for feed, key in ALL_KEYS.items():
        types = column_types(project_dir, feed)
        pattern = str(company[0] / "canonical" / feed / "*" / "*.csv")
        header = [row[0] for row in connection.execute(f"describe select * from read_csv('{pattern}', {DIALECT})").fetchall()]
        casts = ", ".join(f"{name}::{types[name]} as {name}" for name in header)
        connection.execute(f"create table all_{feed} as select {casts} from read_csv('{pattern}', {DIALECT})")
        connection.execute(
            f"create view {feed} as from all_{feed} qualify row_number() over (partition by {key} order by source_updated_at desc) = 1"
        )
    connection.execute("""
        create view counted_lines as
        select l.*, o.account_id, o.order_kind, o.ordered_at, o.currency_code, f.exchange_rate, o.offer_id
        from order_lines l join orders o using (order_id)
        left join fx_rates f on o.currency_code = f.from_currency_code and f.rate_date = date_trunc('month', o.ordered_at)::date
        where not o.is_test and o.cancelled_at is null""")
    yield connection
    connection.close()
