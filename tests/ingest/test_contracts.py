"""The contracts are read as written, and every feed the brief names has one."""

from __future__ import annotations

import pytest

from dagster_project.contracts.model import feeds, load_contract
from dagster_project.errors import UsageError


@pytest.mark.parametrize("feed", feeds())
def test_a_contract_has_a_required_key_and_typed_described_columns(feed: str) -> None:
    contract = load_contract(feed)
    assert contract.feed == feed
    assert contract.primary_key
    assert all(contract.column(name).required for name in contract.primary_key)
    assert all(column.description for column in contract.columns)
    assert {"source_updated_at", "is_deleted"} <= set(contract.names)
    assert len(set(contract.names)) == len(contract.names)


def test_defaults_unknown_values_bounds_and_key_order_come_from_the_file() -> None:
    tickets = load_contract("tickets")
    level = tickets.column("escalation_level")
    assert (level.default, level.minimum, level.maximum) == ("0", 0, 4)
    assert tickets.column("channel").unknown_value == "other"
    assert load_contract("orders").column("is_test").default == "false"
    assert load_contract("fx_rates").primary_key == ("rate_date", "from_currency_code", "to_currency_code", "rate_type", "rate_source")
    assert (load_contract("order_lines").column("unit_price").precision, load_contract("order_lines").column("unit_price").scale) == (18, 4)
    assert load_contract("accounts").column("account_name").restricted


def test_an_unknown_feed_is_told_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="no contract for feed invoices; known feeds: account_merges, account_touches, accounts"):
        load_contract("invoices")
