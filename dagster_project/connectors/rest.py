"""Reads the endpoints of a REST system into a load: pages, the records that are new, rows of the declared tables.

It must not know a system's fields; those are in `flattening`'s declarations and `PREPARED`.
"""

from __future__ import annotations

import datetime as dt
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
from dagster_project.connectors.positions import Position
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
        endpoint = self.endpoints[name]
        followers = {other: follower for other, follower in self.endpoints.items() if follower.of == name}
        found: dict[str, dict[str, None]] = {other: {} for other in followers}
        position = Position(endpoint, load.state.setdefault(name, {}))
        has_ended = True
        for answer in self._pages(endpoint, endpoint.path, position.params(self.source.start)):
            for record in answer[endpoint.records]:
                is_new = position.is_new(record)
                if is_new:
                    self._write(name, endpoint, record, load)
                if is_new or endpoint.look_back_seconds is None:
                    for other, follower in followers.items():
                        found[other].update(dict.fromkeys(map(str, values(record, follower.ids))))
            position.pass_page(answer)
            if load.is_full and endpoint.is_ordered:
                has_ended = False
                break
        for other, identifiers in found.items():
            self._follow(other, list(identifiers), load)
        return has_ended

    def _follow(self, name: str, identifiers: list[str], load: Load) -> None:
        endpoint = self.endpoints[name]
        position = Position(endpoint, load.state.setdefault(name, {}))
        for start in range(0, len(identifiers), endpoint.batch):
            path = endpoint.path.replace("{ids}", ",".join(identifiers[start : start + endpoint.batch]))
            for answer in self._pages(endpoint, path, endpoint.params):
                for record in filter(position.is_new, answer[endpoint.records]):
                    self._write(name, endpoint, record, load)
                position.pass_page(answer)

    def _pages(self, endpoint: Endpoint, path: str, params: dict[str, str]) -> Iterator[dict[str, Any]]:
        pages = self._client.paginate(
            path, params=dict(params), paginator=paginator(endpoint.paging), data_selector=endpoint.records, hooks=hooks()
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
