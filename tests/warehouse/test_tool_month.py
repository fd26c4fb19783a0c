"""Tools by month: their part of the pool's cost and what unused seats cost. Breaks: a tool that pays for the seats of another."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from tests.warehouse.workforce_rows import COMPANY, Row, ticket

Build = Callable[..., duckdb.DuckDBPyConnection]


def usage(tool: str, day: str, active: int | None, seats: int | None, pool: str | None = "it", **more: Any) -> Row:
    return {"tool_id": tool, "usage_date": day, "pool_id": pool, "active_users_count": active, "licensed_seats_count": seats,
            "used_seats_count": active} | more  # fmt: skip


@pytest.mark.spec("B08")
@pytest.mark.spec("B17")
def test_tools_share_the_cost_of_their_pool_and_unused_seats_cost(figures: Build) -> None:
    line = COMPANY["ledger_actuals"][0] | {"cost_category": "it", "pool_id": "it", "ledger_amount": "100.01"}
    company = figures(
        {
            "ledger_actuals": [line, line | {"line_number": 2, "pool_id": "other", "ledger_amount": "7.00"}],
            "tool_usage": [
                usage("desk", "2025-05-05", 10, 10), usage("desk", "2025-05-12", 10, 10, used_seats_count=None),
                # Two sites: 4 and 2 of 10 users; nobody counted the users of one day.
                usage("phone", "2025-05-05", 4, 6, site_id="n"), usage("phone", "2025-05-05", 2, 4, site_id="s"),
                usage("phone", "2025-05-12", None, 10, used_seats_count=8), usage("lost", "2025-05-05", 1, 2, pool=None),
                usage("free", "2025-05-05", 1, 2, "none"),
                usage("gone", "2025-05-05", 1, 2, is_deleted=True),
            ],
            "tickets": [ticket("T", "x", created_at="2025-05-31T09:00:00+00")],
        },
        latest_delivery_date="2025-06-01",
    )  # fmt: skip
    columns = "active_user_days, licensed_seat_days, cost_amount, shelfware_cost_amount, shelfware_null_reason"
    rows = {name: tuple(row) for name, *row in company.execute(f"select tool_id, {columns} from marts.mart_tool_month").fetchall()}
    # Twice 20 seat days share 100.01; four tenths of the telephone seats are not used on the day on which users were counted.
    assert rows == {
        "desk": (20, 20, Decimal("50.01"), Decimal("0.00"), None),
        "phone": (6, 10, Decimal("50.00"), Decimal("20.00"), None),
        "lost": (1, 2, None, None, "pool_unknown"),
        "free": (1, 2, None, None, "source_absent"),
    }
    assert company.execute("select sum(cost_amount) from marts.mart_tool_month where pool_id = 'it'").fetchall() == [(Decimal("100.01"),)]
    # Seats in use are compared with the seats of the readings that count both, whether or not users were counted.
    rates = dict(
        company.execute("select member, value from reporting.mart_metric where metric_id = 'seat_use_rate' and cut = 'tool'").fetchall()
    )
    assert rates == {"desk": 1.0, "phone": 0.7, "lost": 0.5, "free": 0.5}
