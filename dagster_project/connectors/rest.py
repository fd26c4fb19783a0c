"""Reads the endpoints of a REST system into a load: positions, what was delivered before, rows of the declared tables.

State of an endpoint: `position` (a cursor of the server's), or `since` (epoch seconds of the newest record) with `seen`, the hashes of
the records that may come again. It must not know a system's fields; those are in `flattening`'s declarations and `PREPARED`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from dlt.sources.helpers.rest_client import RESTClient
from requests import HTTPError, RequestException

from dagster_project.connectors import shopify, zendesk
from dagster_project.connectors.flattening import Endpoint, load_system, rows, values
from dagster_project.connectors.http import ATTEMPTS, HostAuth, hooks, open_client, paginator
from dagster_project.connectors.loads import Load
from dagster_project.connectors.sources import Rest
from dagster_project.errors import InfrastructureError, UsageError
from dagster_project.settings import secret

PREPARED = {"zendesk": zendesk.prepare, "shopify": shopify.prepare}


@dataclass
class RestReader:
    """One fetch from a REST system. `now` is the instant of the fetch, `sleep` waits for the server's limits."""

    source: Rest
    now: dt.datetime
    sleep: Callable[[float], None]
    _answers: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def _client(self) -> RESTClient:
        source, token = self.source, secret(self.source.token_env)
        header = "X-Shopify-Access-Token" if source.kind == "shopify" else None
        return open_client(source.url, HostAuth(source.url, header, f"{source.email}/token", token), self.sleep)

    @cached_property
    def endpoints(self) -> dict[str, Endpoint]:
        """The endpoints to read, in order.

        Raises
        ------
        UsageError
            The source names one that the system does not have, or leaves out the one that another needs.
        """
        known = load_system(self.source.kind).endpoints
        chosen = self.source.streams or tuple(known)
        unknown = sorted(set(chosen) - set(known))
        if unknown:
            raise UsageError(f"{self.source.kind} has no streams {', '.join(unknown)}; known: {', '.join(known)}")
        for name in chosen:
            if known[name].of not in {None, *chosen}:
                raise UsageError(f"the stream {name} is read for those of {known[name].of}; remedy: add {known[name].of}")
        return {name: endpoint for name, endpoint in known.items() if name in chosen}

    def read(self, load: Load) -> bool:
        """Fill a load; returns False when it is full and another has to follow.

        Raises
        ------
        UsageError
            The server refuses the token.
        InfrastructureError
            The server stays out of reach, answers with errors, or with something else than its pages.
        """
        try:
            for name, endpoint in self.endpoints.items():
                if endpoint.of is None and not self._read_with_followers(name, load):
                    return False
        except RequestException as error:
            raise self._failure(error) from None
        except (json.JSONDecodeError, UnicodeDecodeError):
            raise InfrastructureError(f"{self.source.url} answered {ATTEMPTS} times with a page that is no JSON") from None
        return True

    def _read_with_followers(self, name: str, load: Load) -> bool:
        """Read an endpoint, and for its records those that are asked for by identifier: they become visible together."""
        followers = {other: endpoint for other, endpoint in self.endpoints.items() if endpoint.of == name}
        found: dict[str, dict[str, None]] = {other: {} for other in followers}
        endpoint = self.endpoints[name]
        has_ended = self._read(name, endpoint, endpoint.path, self._params(endpoint, load.state.get(name, {})), load, followers, found)
        for other, follower in followers.items():
            listed = list(found[other])
            for start in range(0, len(listed), follower.batch):
                path = follower.path.replace("{ids}", ",".join(listed[start : start + follower.batch]))
                self._read(other, follower, path, follower.params, load, {}, {})
        return has_ended

    def _params(self, endpoint: Endpoint, state: dict[str, Any]) -> dict[str, str]:
        start = int(dt.datetime.combine(self.source.start, dt.time(), dt.UTC).timestamp())
        since = max(start, state["since"] - (endpoint.look_back_seconds or 0)) if "since" in state else start
        asked = {}
        if endpoint.paging == "cursor":
            asked = {"cursor": state["position"]} if "position" in state else {"start_time": str(start)}
        elif endpoint.paging == "time":
            asked = {"start_time": str(since)}
        elif endpoint.since:
            iso = dt.datetime.fromtimestamp(since, dt.UTC).isoformat()
            asked = {endpoint.since: iso if endpoint.paging == "link" else str(since)}
        return {**endpoint.params, **asked}

    def _read(
        self,
        name: str,
        endpoint: Endpoint,
        path: str,
        params: dict[str, str],
        load: Load,
        followers: dict[str, Endpoint],
        found: dict[str, dict[str, None]],
    ) -> bool:
        state = load.state.setdefault(name, {})
        seen: dict[str, int] = dict(state.get("seen", {}))
        has_cursor = endpoint.paging == "cursor"
        for answer in self._pages(endpoint, path, params):
            for record in answer[endpoint.records]:
                digest = _digest(record)
                is_new = has_cursor or digest not in seen
                for other, follower in followers.items():
                    if is_new or endpoint.look_back_seconds is None:
                        found[other].update(dict.fromkeys(map(str, values(record, follower.ids))))
                if is_new:
                    self._write(name, endpoint, record, load)
                seen[digest] = _epoch(record.get(endpoint.instant))
            if has_cursor:
                seen.clear()
                if answer.get("after_cursor"):
                    state["position"] = answer["after_cursor"]
            else:
                newest = [_epoch(answer.get("end_time"))] if endpoint.paging == "time" else seen.values()
                state["since"] = max([state.get("since", 0), *newest])
                state["seen"] = _still_possible(seen, state["since"], endpoint)
                if endpoint.is_ordered:
                    seen = dict(state["seen"])
            if load.is_full and endpoint.is_ordered:
                return False
        return True

    def _pages(self, endpoint: Endpoint, path: str, params: dict[str, str]) -> Iterator[dict[str, Any]]:
        pages = self._client.paginate(
            path, params=params, paginator=paginator(endpoint.paging), data_selector=endpoint.records, hooks=hooks()
        )
        for page in pages:
            answer = page.response.json()
            if not isinstance(answer.get(endpoint.records), list):
                raise InfrastructureError(f"{page.response.url.partition('?')[0]} answered without {endpoint.records}; nothing was fetched")
            yield answer

    def _write(self, name: str, endpoint: Endpoint, record: dict[str, Any], load: Load) -> None:
        system = load_system(self.source.kind)
        synced = self.now.astimezone(dt.UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")
        for prepared in PREPARED[self.source.kind](name, record, self._once):
            for stream, table in endpoint.tables.items():
                for row in rows(table, prepared, system.instants, synced):
                    load.table(stream, tuple(table.columns)).write(row)

    def _once(self, path: str) -> Any:
        """Ask for something that is the same for all records, once a fetch."""
        if path not in self._answers:
            self._answers[path] = self._client.get(path, hooks=hooks()).json()
        return self._answers[path]

    def _failure(self, error: RequestException) -> Exception:
        host, status = self.source.url, error.response.status_code if isinstance(error, HTTPError) and error.response is not None else 0
        if status in {401, 403}:
            return UsageError(f"{error}; remedy: check the token in {self.source.token_env} and what it may read")
        if status:
            return InfrastructureError(f"{error}; nothing of this load was delivered, the next fetch begins where the last one ended")
        return InfrastructureError(
            f"{host} cannot be reached ({type(error).__name__}), {ATTEMPTS} attempts; nothing of this load was delivered"
        )


def _digest(record: Any) -> str:
    return hashlib.blake2b(json.dumps(record, sort_keys=True).encode(), digest_size=8).hexdigest()


def _epoch(instant: Any) -> int:
    """Seconds since 1970 of an instant in either form, 0 where there is none."""
    text = str(instant or "0")
    try:
        return int(text) if text.isdigit() else int(dt.datetime.fromisoformat(text).timestamp())
    except ValueError:
        return 0


def _still_possible(seen: dict[str, int], since: int, endpoint: Endpoint) -> dict[str, int]:
    """Keep the records that the next fetch can be given again."""
    back = endpoint.look_back_seconds
    return dict(seen) if back is None else {digest: instant for digest, instant in seen.items() if instant >= since - back}
