"""The key under which personal values are hashed: from the secret store (ROI_HASH_KEY), else HOME/restricted/hash_key, made once.

Holds reading and making the key, and noticing that it changed: the ledger keeps its id. The key leaves this module only as bytes in
memory. It must not hash a value (see `personal`).
"""

from __future__ import annotations

import hmac
import os
import secrets
from pathlib import Path

from pydantic import SecretStr

from dagster_project.errors import UsageError
from dagster_project.ledger.store import Ledger
from dagster_project.settings import Settings

_SHORTEST = 32
_ID_CHARACTERS = 16
_FILE = "hash_key"


def hash_key(settings: Settings, ledger: Ledger) -> bytes:
    """Return the key of this home, made now when there never was one; the caller holds the warehouse lock.

    Raises
    ------
    UsageError
        The key is too short, gone, or another one than that of the hashes already in the lake.
    """
    path = settings.restricted / _FILE
    known = next((str(row[0]) for row in ledger.rows("select key_id from hash_key")), None)
    if settings.hash_key is not None:
        key, source = settings.hash_key.get_secret_value().encode(), "ROI_HASH_KEY"
        if len(key) < _SHORTEST:
            raise UsageError(f"ROI_HASH_KEY is shorter than {_SHORTEST} characters; remedy: use a random secret, e.g. openssl rand -hex 32")
    else:
        if not path.exists():
            if known is not None:
                raise UsageError(
                    f"the key of the hashes in this home (id {known}) is neither in ROI_HASH_KEY nor in {path}; remedy: set it, or restore"
                    " the file from a backup, or load into an empty home"
                )
            _make(path)
        key, source = path.read_bytes(), str(path)
    identity = hmac.new(key, b"id of the hash key", "sha256").hexdigest()[:_ID_CHARACTERS]
    if known is None:
        ledger.write([("insert into hash_key (key_id) values (?)", (identity,))])
    elif known != identity:
        raise UsageError(
            f"the hash key changed: {source} has id {identity}, the hashes in this home were made with {known} and would not match; remedy:"
            " set the former key, or load into an empty home to change it"
        )
    return key


def present_key(settings: Settings) -> SecretStr | None:
    """Return the key that a run would use, for a look that writes nothing; None where a run would make one or stop."""
    path = settings.restricted / _FILE
    if settings.hash_key is not None or not path.is_file():
        return settings.hash_key
    return SecretStr(path.read_text(encoding="utf-8"))


def make_restricted(folder: Path) -> None:
    """Make the folder of raw personal values, open to its owner only."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)


def _make(path: Path) -> None:
    make_restricted(path.parent)
    draft = path.with_name(f"{_FILE}.tmp")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secrets.token_hex(32).encode())
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
