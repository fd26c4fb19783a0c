"""How far a fetch is in the stream of an endpoint: what to ask for, which records are new, from where to go on.

State: `position` (a cursor of the server's), or `since` (epoch seconds of the newest record) with `seen`, the hashes of the records
that may come again. It must not send a request or write a row.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import Any

from dagster_project.connectors.flattening import Endpoint


class Position:
    """The place in one endpoint's stream; `state` is kept up to date in the load's state."""

    def __init__(self, endpoint: Endpoint, state: dict[str, Any]) -> None:
        """Go on from the state of the last load; an empty one is the beginning."""
        self._endpoint = endpoint
        self._state = state
        self._seen: dict[str, int] = dict(state.get("seen", {}))

    def params(self, start: dt.date) -> dict[str, str]:
        """Return what to ask for: from the position on, at first from the start of a day (UTC)."""
        endpoint, state = self._endpoint, self._state
        if endpoint.paging == "cursor" and "position" in state:
            return {**endpoint.params, "cursor": state["position"]}
        first = int(dt.datetime.combine(start, dt.time(), dt.UTC).timestamp())
        since = max(first, state.get("since", 0) - (endpoint.look_back_seconds or 0))
        if endpoint.paging in {"cursor", "time"}:
            return {**endpoint.params, "start_time": str(since)}
        if endpoint.since is None:
            return dict(endpoint.params)
        iso = dt.datetime.fromtimestamp(since, dt.UTC).isoformat()
        return {**endpoint.params, endpoint.since: iso if endpoint.paging == "link" else str(since)}

    def is_new(self, record: dict[str, Any]) -> bool:
        """Return whether the record was not delivered in this form, as far as the position looks back, and remember it."""
        if self._endpoint.paging == "cursor":
            return True
        digest = hashlib.blake2b(json.dumps(record, sort_keys=True).encode(), digest_size=8).hexdigest()
        is_new = digest not in self._seen
        self._seen[digest] = epoch(record.get(self._endpoint.instant))
        return is_new

    def pass_page(self, answer: dict[str, Any]) -> None:
        """Move behind a page whose records were taken."""
        endpoint, state = self._endpoint, self._state
        if endpoint.paging == "cursor":
            if answer.get("after_cursor"):
                state["position"] = answer["after_cursor"]
            return
        newest = [epoch(answer.get("end_time"))] if endpoint.paging == "time" else list(self._seen.values())
        state["since"] = max([state.get("since", 0), *newest])
        if endpoint.look_back_seconds is None:
            state["seen"] = self._seen
            return
        oldest = state["since"] - endpoint.look_back_seconds
        state["seen"] = {digest: instant for digest, instant in self._seen.items() if instant >= oldest}
        if endpoint.is_ordered:
            self._seen = dict(state["seen"])


def epoch(instant: Any) -> int:
    """Return the seconds since 1970 of an instant in ISO form or as a number; 0 for what is none."""
    text = str(instant or "0")
    try:
        return int(text) if text.isdigit() else int(dt.datetime.fromisoformat(text).timestamp())
    except ValueError:
        return 0
