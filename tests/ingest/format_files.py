"""Files of orders in every format, and how they are delivered."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

HEADER = "order_id,ordered_at,currency_code,account_id,net_amount\n"
ROWS = "".join(f"o{number},2026-01-01T10:00:00Z,EUR,a1,10.00\n" for number in range(4))
CSV = (HEADER + ROWS).encode()
OBJECT = {"order_id": "o1", "ordered_at": "2026-01-01T10:00:00Z", "currency_code": "EUR", "account_id": "a1", "net_amount": 10}
COLUMNS = list(OBJECT)


def deliver(ingest: Any, name: str, content: bytes) -> tuple[tuple[int, int, int, int], str]:
    """Deliver one file of orders, walk, and return physical, loaded, superseded, quarantined and what was refused."""
    folder = ingest.settings.landing / "canonical" / "orders" / f"2027-01-{ingest.runs + 1:02}"
    folder.mkdir(parents=True)
    (folder / name).write_bytes(content)
    report = ingest.walk()
    (file,) = [file for file in report.files if file.path.endswith(f"{folder.name}/{name}")]
    if file.status == "refused":
        (folder / name).unlink()
    assert not list((ingest.settings.restricted / "reading").glob("*")), "nothing is left in the scratch folder"
    return (file.physical, file.loaded, file.superseded, file.quarantined), file.error or ""


def refused(ingest: Any, name: str, content: bytes) -> str:
    """Deliver a file that has to be refused completely and return the message, which names it and a remedy."""
    _, error = deliver(ingest, name, content)
    assert name in error
    assert "remedy" in error
    assert ingest.all("select count(*) from lake.orders") == [(0,)]
    return error


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return made.getvalue()


def lines(*objects: object) -> bytes:
    return "".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in objects).encode()


def sold(ingest: Any, content: str | bytes, name: str = "s.csv") -> list[tuple[Any, ...]]:
    """Deliver a file to the till and return its orders; nothing may be refused or kept out."""
    ingest.deliver(f"till/sales/2031-01-0{ingest.runs + 1}/{name}", content)
    report = ingest.walk()
    assert not report.refusals, report.refusals
    assert not report.rejections, report.rejections
    return ingest.all("select order_id, account_id, net_amount::decimal(18, 2)::varchar from lake.orders order by record_number")  # type: ignore[no-any-return]
