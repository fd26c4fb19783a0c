"""Deliveries of orders, for the tests of loading."""

from __future__ import annotations

from typing import Any

HEADER = "order_id,ordered_at,currency_code,account_id,net_amount,source_updated_at\n"


def order(number: int, *, net: str = "10.00", updated: str = "", account: str = "a1") -> str:
    return f"o{number},2026-01-01T10:00:00Z,EUR,{account},{net},{updated}\n"


def orders(numbers: Any, **values: str) -> str:
    return HEADER + "".join(order(number, **values) for number in numbers)


def latest(ingest: Any) -> list[tuple[Any, ...]]:
    """The rows the warehouse would use: the latest version of each key."""
    sql = """select order_id, account_id, net_amount::decimal(18, 2)::varchar,
        source_updated_at::varchar, is_deleted, row_hash, delivery_date::varchar
        from lake.orders
        qualify row_number() over (
            partition by order_id order by source_updated_at desc nulls last, delivery_date desc, file_order desc, record_number desc
        ) = 1 order by all"""
    return ingest.all(sql)  # type: ignore[no-any-return]


def counts(report: Any) -> list[tuple[int, int, int, int]]:
    return [(file.physical, file.loaded, file.superseded, file.quarantined) for file in report.files]
