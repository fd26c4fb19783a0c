"""Requests that wait when a server asks to, try again when it stumbles, and carry a token to its own host only.

Uses dlt's REST client, retries and paginators; what it adds: numbers of JSON stay as written, a broken page is asked for again, a
fractional Retry-After counts. It must not know a table.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from dlt.common.configuration.specs import RuntimeConfiguration
from dlt.sources.helpers.requests import Client
from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.paginators import BasePaginator, HeaderLinkPaginator, JSONLinkPaginator
from pydantic import SecretStr
from requests import HTTPError, PreparedRequest, Request, Response
from requests.auth import AuthBase, HTTPBasicAuth

from dagster_project.errors import InfrastructureError

ATTEMPTS = 8
LONGEST_WAIT_SECONDS = 300


class HostAuth(AuthBase):
    """Adds the secret to requests that go to one host; a link that leads elsewhere ends the fetch."""

    def __init__(self, url: str, header: str | None, user: str, token: SecretStr) -> None:
        """Send the token in `header`, or with `user` as Basic authorization."""
        self._netloc = urlsplit(url).netloc
        self._header, self._user, self._token = header, user, token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign a request that is about to be sent."""
        found = urlsplit(request.url or "").netloc
        if found != self._netloc:
            raise InfrastructureError(f"{self._netloc} answered with a link to {found}; nothing was sent there")
        secret = self._token.get_secret_value()
        if self._header is None:
            return HTTPBasicAuth(self._user, secret)(request)
        request.headers[self._header] = secret
        return request


class ExportPaginator(BasePaginator):  # type: ignore[misc]  # dlt is excluded from the types
    """Zendesk's exports: each answer says where the next begins, and whether the stream has ended."""

    def __init__(self, field: str, param: str) -> None:
        """Read the position from `field` of the answer, send it as `param`."""
        super().__init__()
        self._field, self._param = field, param
        self._position: str | None = None

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:  # noqa: ARG002  dlt names it
        """Read the position; without `end_of_stream` (Talk) the stream has ended when the position does not move."""
        answer = response.json()
        position = answer.get(self._field)
        is_same_position = position is None or str(position) in {self._position, _sent(response, self._param)}
        ended = answer.get("end_of_stream", is_same_position)
        if is_same_position and not ended:
            raise InfrastructureError(f"{response.url.partition('?')[0]} does not move on from {self._position} and says there is more")
        self._position = None if position is None else str(position)
        self._has_next_page = not ended

    def update_request(self, request: Request) -> None:
        """Ask from the position on."""
        asked: Any = request.params
        params = {name: value for name, value in asked.items() if name != "start_time"}
        request.params = {**params, self._param: self._position}


def _sent(response: Response, param: str) -> str | None:
    query = urlsplit(response.request.url or "").query
    return next((part.partition("=")[2] for part in query.split("&") if part.startswith(f"{param}=")), None)


def paginator(paging: str) -> BasePaginator:
    """Return a new paginator of one of the kinds that endpoints declare."""
    if paging == "link":
        return HeaderLinkPaginator()
    if paging == "next":
        return JSONLinkPaginator("links.next")
    return ExportPaginator("after_cursor", "cursor") if paging == "cursor" else ExportPaginator("end_time", "start_time")


def open_client(url: str, auth: AuthBase, sleep: Callable[[float], None]) -> RESTClient:
    """Return a client that retries 429, 5xx, lost connections and broken pages, at most `ATTEMPTS` times, waiting with `sleep`."""
    client = Client(
        raise_for_status=False,
        retry_condition=_is_broken,
        request_max_attempts=ATTEMPTS,
        request_max_retry_delay=LONGEST_WAIT_SECONDS,
        session_attrs={"max_redirects": 0},  # a redirect would carry the token along
    )
    session = client.session
    session.send.retry.sleep = sleep  # tenacity keeps its settings there
    return RESTClient(url, auth=auth, session=session, config=RuntimeConfiguration())


def hooks() -> dict[str, Any]:
    """Return what is done to each answer before its status and its body are judged; to be given with every request."""
    return {"response": [_exact, _raise_for_status]}


def _raise_for_status(response: Response, *_: Any, **__: Any) -> None:
    if response.status_code >= 400:
        raise HTTPError(f"{response.url.partition('?')[0]} answered {response.status_code}", response=response)


def _exact(response: Response, *_: Any, **__: Any) -> None:
    """Keep numbers as the server wrote them, and make a fractional wait a whole one, which the client understands."""
    wait = response.headers.get("Retry-After", "")
    if wait.replace(".", "", 1).isdigit():
        response.headers["Retry-After"] = str(math.ceil(float(wait)))
    response.json = lambda **_: json.loads(response.content, parse_float=str, parse_int=str)  # type: ignore[method-assign]


def _is_broken(response: Response | None, _: BaseException | None) -> bool:
    if response is None or response.status_code >= 300:
        return False
    try:
        return not isinstance(response.json(), dict)
    except ValueError:
        return True
