"""What Shopify's records need before they are tables: tags are one text, costs are in the shop's currency.

Declarations of the tables: `shopify.yml`. It must not send a request of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

SHOP = "/admin/api/2026-01/shop.json"


def prepare(endpoint: str, record: dict[str, Any], once: Callable[[str], Any]) -> list[dict[str, Any]]:
    """Return the records that one record of an endpoint becomes; `once` asks the shop for what is the same for all.

    A refund's transactions come with the order, where they name their refund; the order's own list repeats them without it.
    """
    if endpoint == "inventory_items":
        return [{**record, "shop": once(SHOP)["shop"]}]
    if endpoint == "transactions":
        return [] if record.get("kind") == "refund" else [record]
    if isinstance(tags := record.get("tags"), str):
        return [{**record, "tags": [tag.strip() for tag in tags.split(",") if tag.strip()]}]
    return [record]
