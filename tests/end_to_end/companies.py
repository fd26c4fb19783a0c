"""Lay the real companies' files out as deliveries, as their owners' systems would have sent them."""

from __future__ import annotations

import shutil
from pathlib import Path

OLIST = {
    "customers": "olist_customers_dataset",
    "orders": "olist_orders_dataset",
    "items": "olist_order_items_dataset",
    "payments": "olist_order_payments_dataset",
    "reviews": "olist_order_reviews_dataset",
}


def deliver(source: Path, landing: Path, system: str, stream: str, day: str, *, name: str | None = None) -> Path:
    target = landing / system / stream / day / (name or source.name)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    return target


def retail_days(shared: Path) -> list[Path]:
    return sorted((shared / "retail" / "by-day").glob("*.csv.gz"))


def lay_out(company: str, shared: Path, landing: Path) -> Path:
    if company == "retail":
        for day in retail_days(shared):
            deliver(day, landing, "retail", "lines", day.name[:10])
    elif company == "bank":
        deliver(next((shared / "bank").glob("*.txt.gz")), landing, "bank", "calls", "1999-03-01")
    elif company == "oakland":
        for file in sorted((shared / "oakland_budget").glob("*.csv.gz")):
            deliver(file, landing, "oakland", "budget", f"20{file.name[2:4]}-07-01")
    elif company == "olist":
        for stream, name in OLIST.items():
            deliver(shared / "olist" / f"{name}.csv.gz", landing, "olist", stream, "2018-11-01")
    return landing
