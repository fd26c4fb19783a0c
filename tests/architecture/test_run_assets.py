"""A run of the command line has every asset but the feeds that brought nothing; a feed nobody delivers costs no event."""

from __future__ import annotations

import pytest

from dagster_project.contracts.model import feeds
from dagster_project.definitions import defs
from dagster_project.orchestration.instance import run_keys

ALL = {key.to_user_string() for key in defs.resolve_asset_graph().materializable_asset_keys}


@pytest.mark.parametrize("delivered", [set(), {"orders", "agents"}, set(feeds())])
def test_a_run_leaves_out_the_feeds_that_brought_nothing_and_nothing_else(delivered: set[str]) -> None:
    chosen = {key.to_user_string() for key in run_keys(defs, delivered)}
    assert ALL - chosen == {f"lake/{feed}" for feed in feeds() if feed not in delivered}
