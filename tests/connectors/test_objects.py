"""Objects of an S3 storage: copied unchanged, each version once."""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import Any

import pytest

from dagster_project.errors import InfrastructureError

CSV = gzip.compress(b"account_id,account_kind\n1,b2b\n", mtime=0)


@pytest.fixture
def exports(fetching: Any, bucket: Any, storage_server: str) -> Any:
    keys = {"key_id_env": "CANARY_ID", "secret_key_env": "CANARY"}
    fetching.add(
        "exports", kind="s3", system="crm", bucket="exports", endpoint=storage_server, streams={"accounts": "crm/accounts/"}, **keys
    )
    return fetching


def test_new_objects_are_copied_byte_by_byte_and_only_once(exports: Any, bucket: Any) -> None:
    bucket.put_object(Key="crm/accounts/2026/a.csv.gz", Body=CSV)
    bucket.put_object(Key="crm/orders/o.csv.gz", Body=b"another stream")
    assert exports.deliver("exports") == {"accounts": 1}
    name = "crm/accounts/2026-11-26/exports-000001-0000-a.csv.gz"
    assert exports.files() == [name, f"{name}.manifest.json"]
    assert exports.content()[name] == CSV
    assert json.loads(exports.content()[f"{name}.manifest.json"]) == {"sha256": hashlib.sha256(CSV).hexdigest()}
    assert exports.deliver("exports") == {}
    bucket.put_object(Key="crm/accounts/2025/late.csv.gz", Body=CSV + b"late")  # sorts before what was taken
    assert exports.deliver("exports") == {"accounts": 1}
    assert exports.content()["crm/accounts/2026-11-26/exports-000002-0000-late.csv.gz"] == CSV + b"late"


def test_a_changed_object_is_taken_again_and_one_written_again_alike_is_not(exports: Any, bucket: Any) -> None:
    bucket.put_object(Key="crm/accounts/a.csv.gz", Body=CSV)
    exports.deliver("exports")
    bucket.put_object(Key="crm/accounts/a.csv.gz", Body=CSV)
    assert exports.deliver("exports") == {}
    bucket.put_object(Key="crm/accounts/a.csv.gz", Body=CSV * 2)
    assert exports.deliver("exports") == {"accounts": 1}


@pytest.mark.fault("D4", "S4")
def test_unfinished_uploads_wait_and_no_key_leaves_its_folder(exports: Any, bucket: Any) -> None:
    for key in ("x.csv.part", "x.csv.tmp", "folder/", "../../../etc/pass wd.csv", "b/x.csv", "a/x.csv"):
        bucket.put_object(Key=f"crm/accounts/{key}", Body=key.encode())
    exports.deliver("exports")
    day = "crm/accounts/2026-11-26/exports-000001"
    assert [name for name in exports.files() if not name.endswith("json")] == [
        f"{day}-0000-pass_wd.csv",
        f"{day}-0001-x.csv",
        f"{day}-0002-x.csv",
    ]


@pytest.mark.fault("D8")
def test_a_manifest_that_the_sender_wrote_comes_along_in_place_of_ours(exports: Any, bucket: Any) -> None:
    bucket.put_object(Key="crm/accounts/a.csv.gz", Body=CSV)
    bucket.put_object(Key="crm/accounts/a.csv.gz.manifest.json", Body=b'{"rows": 2}')
    assert exports.deliver("exports") == {"accounts": 1}
    assert [data for name, data in exports.content().items() if name.endswith("json")] == [b'{"rows": 2}']


def test_more_objects_than_one_page_of_the_listing_are_all_taken(exports: Any, bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "2")
    for number in range(5):
        bucket.put_object(Key=f"crm/accounts/{number}.csv", Body=b"x")
    listed = bucket.meta.client.list_objects_v2(Bucket="exports", Prefix="crm/accounts/")
    assert listed["IsTruncated"], "the storage lists everything at once"
    assert exports.deliver("exports") == {"accounts": 5}


def test_a_bucket_that_refuses_ends_the_fetch_and_delivers_nothing(exports: Any) -> None:
    exports.add("exports", **{**exports.sources["exports"], "bucket": "another"})
    with pytest.raises(InfrastructureError, match=r"bucket another: .*NoSuchBucket"):
        exports.deliver("exports")
    assert exports.files() == []
