"""The vendors' own sample tables walk through the mappings: every header is known, every record loaded, superseded or quarantined.

The samples are of many shops: most of their rows name parents that are not in them.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dagster_project.ingest.mapping.systems import Mappings
from tests.ingest.systems.commerce import broken, counts, waiting

FILES = {
    "shopify": "shopify/shopify_{}_data.csv",
    "shopify_graphql": "shopify/shopify_gql_{}_data.csv",
    "stripe": "stripe/{}_data.csv",
    "quickbooks": "quickbooks/{}_data.csv",
    "qualtrics": "qualtrics/{}.csv",
}
FED = {  # physical, loaded, superseded, quarantined of the streams that make feeds; the rest waits for parents that the samples lack
    "shopify": {
        "customer": (4, 4, 0, 0),
        "order": (8, 8, 0, 0),
        "order_line": (3, 3, 0, 0),
        "transaction": (5, 5, 0, 0),
        "order_line_refund": (5, 0, 0, 0),
        "order_adjustment": (5, 0, 0, 0),
    },
    "shopify_graphql": {
        "customer": (10, 10, 0, 0),
        "order": (9, 5, 4, 0),
        "order_line": (10, 0, 0, 0),
        "transaction": (10, 4, 6, 0),
        "order_line_refund": (10, 0, 0, 0),
        "refund_line_item": (10, 0, 0, 0),
        "order_adjustment": (10, 0, 0, 0),
    },
    "stripe": {
        "customer": (12, 12, 0, 0),
        "invoice": (2, 2, 0, 0),
        "invoice_line_item": (3, 1, 0, 0),
        "charge": (16, 0, 16, 0),
        "refund": (4, 0, 0, 0),
        "dispute": (12, 0, 0, 0),
        "credit_note": (2, 0, 0, 0),
    },
    "quickbooks": {
        "journal_entry_line": (12, 0, 2, 8),
        "bill_line": (15, 1, 1, 6),
        "purchase_line": (19, 1, 0, 18),
        "vendor_credit_line": (7, 0, 0, 7),
    },
    "qualtrics": {"question_response": (5, 0, 0, 0), "distribution_contact": (5, 1, 0, 0)},
}
MISSING_PARENT = {"order_id", "gl_account", "journal_id", "fiscal_period", "question_key", "invitation_id"}


def samples(system: str, shared_data: Path) -> dict[str, Path]:
    """Return the sample of each stream; those for other databases (_snowflake) are no streams of it."""
    known = Mappings().system(system).file
    named = {name: shared_data / "export_shapes" / FILES[system].format(name) for name in (*known.streams, *known.ignored)}
    return {name: path for name, path in named.items() if path.is_file()}


@pytest.mark.parametrize("system", FILES)
def test_every_record_of_a_true_export_is_accounted_for(system: str, ingest: Any, shared_data: Path) -> None:
    ingest.assumptions = ingest.assumptions.model_copy(update={"quarantine_threshold_rate": Decimal(1), "reporting_currency_code": "USD"})
    for name, path in samples(system, shared_data).items():
        ingest.deliver(f"{system}/{name}/2026-01-05/{path.name}", path.read_bytes())
    report = ingest.walk()
    assert report.refusals == []
    assert [warning for warning in report.warnings if "is read by no feed" in warning] == []
    found = counts(ingest)
    assert {name: numbers for name, numbers in found.items() if name in FED[system]} == FED[system]
    late = waiting(ingest)
    for name, (physical, loaded, superseded, kept_out) in found.items():
        assert physical == loaded + superseded + kept_out + late.get(name, 0), name
        assert name in FED[system] or not kept_out, name
    assert {(column, rule) for _, column, rule in broken(report)} <= {(column, "required") for column in MISSING_PARENT}


@pytest.mark.parametrize("system", FILES)
def test_every_stream_that_is_read_has_the_true_header(system: str, shared_data: Path) -> None:
    known = Mappings().system(system).file
    found = samples(system, shared_data)
    own = {"gl_map", "budget", "budget_detail", "price", "invoice_payment"}  # the user's own table; tables that the samples do not hold
    assert set(known.streams) - set(found) <= own
    for name in set(known.streams) & set(found):
        stream = known.streams[name]
        header = Counter(found[name].read_text(encoding="utf-8-sig").splitlines()[0].split(","))
        assert not Counter((*stream.columns, *stream.unread)) - header, name
        assert not header - Counter((*stream.columns, *stream.unread, *stream.optional)), name
