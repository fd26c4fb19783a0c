"""Sources of the tests' own, all on loopback: PostgreSQL, an S3 storage, a server that replays what REST systems answer."""

from __future__ import annotations

import datetime as dt
import json
import runpy
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pyarrow.parquet as pq
import pytest
import yaml

from dagster_project.connectors.fetch import fetch
from dagster_project.settings import Settings, load_settings

TESTS = Path(__file__).resolve().parents[1]
RUNNING_POSTGRES = runpy.run_path(str(TESTS / "postgres_server.py"))["running_postgres"]  # tests are no package, so no import
DAY = dt.datetime(2026, 11, 26, 23, 30, tzinfo=dt.UTC)
SECRET = "canary-9f2c41aa-token"


@pytest.fixture(scope="session")
def connectors_or_skip() -> None:
    if find_spec("dlt") is None or find_spec("moto") is None:
        pytest.skip("the extra `connectors` is not installed: make test-connectors")


@dataclass
class Fetching:
    """A landing folder and sources; `deliver` fetches one, `waits` is what it would have slept."""

    settings: Settings
    sources: dict[str, Any] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)

    def add(self, name: str, **source: Any) -> None:
        self.sources[name] = source
        assert self.settings.connectors is not None
        self.settings.connectors.write_text(yaml.safe_dump(self.sources), encoding="utf-8")

    def deliver(self, name: str, *, now: dt.datetime = DAY) -> dict[str, int]:
        return fetch(self.settings, name, now=now, sleep=self.waits.append)

    def files(self) -> list[str]:
        """What ingest would see: neither names that begin with a dot nor unfinished ones."""
        found = (path.relative_to(self.settings.landing) for path in self.settings.landing.rglob("*") if path.is_file())
        return sorted(str(path) for path in found if not path.parts[0].startswith(".") and path.suffix != ".part")

    def rows(self, stream: str) -> list[dict[str, str | None]]:
        """All rows of a stream in the order of delivery."""
        paths = sorted(self.settings.landing.glob(f"*/{stream}/*/*.parquet"))
        return [row for path in paths for row in pq.read_table(path).to_pylist()]

    def content(self) -> dict[str, bytes]:
        return {name: (self.settings.landing / name).read_bytes() for name in self.files()}


@pytest.fixture
def make_fetching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, connectors_or_skip: None) -> Callable[[str], Fetching]:
    monkeypatch.setenv("CANARY", SECRET)

    def make(name: str) -> Fetching:
        landing = tmp_path / name
        landing.mkdir()
        return Fetching(load_settings(landing=landing, home=tmp_path / "home", connectors=tmp_path / f"{name}.yml"))

    return make


@pytest.fixture
def fetching(make_fetching: Callable[[str], Fetching]) -> Fetching:
    return make_fetching("landing")


Answer = tuple[int, dict[str, str], bytes]
Handler = Callable[[dict[str, str]], Answer]


@dataclass
class Replay:
    """A server whose paths answer from functions of the query; `asked` is what it was asked, `faults` are answers given first."""

    url: str = ""
    paths: dict[str, Handler] = field(default_factory=dict)
    faults: list[Answer] = field(default_factory=list)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def on(self, path: str, handler: Handler) -> None:
        self.paths[path] = handler

    def pages(self, path: str, *pages: dict[str, Any]) -> None:
        """Answer page after page; the last one again and again."""
        left = list(pages)
        self.on(path, lambda query: ok(left.pop(0) if len(left) > 1 else left[0]))


def ok(body: dict[str, Any], **headers: str) -> Answer:
    return 200, headers, json.dumps(body).encode()


@pytest.fixture
def replay(connectors_or_skip: None) -> Iterator[Replay]:
    state = Replay()

    class Server(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = dict(parse_qsl(parts.query))
            state.asked.append((parts.path, query))
            state.headers.append(dict(self.headers))
            missing: Handler = lambda query: (404, {}, b"{}")  # noqa: E731
            status, headers, body = state.faults.pop(0) if state.faults else state.paths.get(parts.path, missing)(query)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield state
    server.shutdown()
    server.server_close()


@dataclass(frozen=True)
class Postgres:
    """A database with the user's password in CANARY_DB."""

    url: str
    password: str

    def run(self, *statements: str) -> None:
        import psycopg

        with psycopg.connect(self.url, password=self.password, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)


@pytest.fixture(scope="session")
def postgres_server(connectors_or_skip: None) -> Iterator[Postgres]:
    with RUNNING_POSTGRES() as (host, port, user, password, name):
        yield Postgres(f"postgresql://{user}@{host}:{port}/{name}", password)


@pytest.fixture
def postgres(postgres_server: Postgres, monkeypatch: pytest.MonkeyPatch) -> Postgres:
    """An empty schema `shop` on the server."""
    monkeypatch.setenv("CANARY_DB", postgres_server.password)
    postgres_server.run("drop schema if exists shop cascade", "create schema shop")
    return postgres_server


@pytest.fixture(scope="session")
def storage_server(connectors_or_skip: None) -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(storage_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An empty bucket `exports` as boto3 sees it."""
    import boto3

    monkeypatch.setenv("CANARY_ID", "AKIACANARY")
    session = boto3.session.Session(aws_access_key_id="AKIACANARY", aws_secret_access_key=SECRET, region_name="us-east-1")
    found = session.resource("s3", endpoint_url=storage_server).create_bucket(Bucket="exports")
    yield found
    found.objects.all().delete()
    found.delete()
