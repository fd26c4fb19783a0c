"""Copies new objects of a bucket into a load, bytes unchanged. An object is new when its key or its etag is.

What was taken is in the journals of the source's loads. It must not look into an object: formats are ingest's business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from dagster_project.connectors.journals import landed_objects, manifest_of
from dagster_project.connectors.loads import Load
from dagster_project.connectors.sources import Objects
from dagster_project.errors import InfrastructureError
from dagster_project.settings import fault_point, secret

_UNFINISHED = (".part", ".tmp", "/")
_MANIFEST = ".manifest.json"
_CHUNK_BYTES = 1 << 20


@dataclass
class ObjectReader:
    """One fetch from a bucket."""

    source: Objects

    def read(self, load: Load) -> bool:
        """Fill a load with every object that was not taken yet; returns True, for a load holds them all.

        Raises
        ------
        InfrastructureError
            The storage is out of reach or refuses; an object changed while it was read.
        """
        try:
            client = self._client()
            taken = landed_objects(load.landing, load.source)
            for stream, prefix in self.source.streams.items():
                listed = self._list(client, prefix)
                new = [key for key, etag in listed.items() if (key, etag) not in taken and not key.endswith(_MANIFEST)]
                for place, key in enumerate(new):
                    self._copy(client, load, stream, listed, key, place)
        except (BotoCoreError, ClientError) as error:
            raise InfrastructureError(f"bucket {self.source.bucket}: {error}; nothing of this load was delivered") from None
        return True

    def _client(self) -> Any:
        keys = {}
        if self.source.key_id_env and self.source.secret_key_env:
            keys = {
                "aws_access_key_id": secret(self.source.key_id_env).get_secret_value(),
                "aws_secret_access_key": secret(self.source.secret_key_env).get_secret_value(),
            }
        settings = Config(retries={"mode": "standard", "total_max_attempts": 5}, connect_timeout=30, read_timeout=60)
        return boto3.client("s3", endpoint_url=self.source.endpoint, region_name=self.source.region, config=settings, **keys)

    def _list(self, client: Any, prefix: str) -> dict[str, str]:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=self.source.bucket, Prefix=prefix)
        found = [entry for page in pages for entry in page.get("Contents", [])]
        return {entry["Key"]: entry["ETag"] for entry in found if not entry["Key"].endswith(_UNFINISHED)}

    def _copy(self, client: Any, load: Load, stream: str, listed: dict[str, str], key: str, place: int) -> None:
        """Copy an object, and the manifest that its sender put next to it; an object that changes meanwhile ends the fetch."""
        name = re.sub(r"[^\w.-]", "_", key.rpartition("/")[2])
        part = load.path(stream, f"-{place:04d}-{name}")
        self._download(client, key, listed[key], part)
        manifest = key + _MANIFEST
        if manifest in listed:
            self._download(client, manifest, listed[manifest], manifest_of(part))
        load.add(part, key=key, etag=listed[key])
        fault_point("fetch_copied")

    def _download(self, client: Any, key: str, etag: str, part: Path) -> None:
        part.parent.mkdir(parents=True, exist_ok=True)
        body = client.get_object(Bucket=self.source.bucket, Key=key, IfMatch=etag)["Body"]
        with part.open("wb") as file:
            for chunk in body.iter_chunks(_CHUNK_BYTES):
                file.write(chunk)
