"""Personal values at ingest: e-mail addresses and telephone numbers become keyed hashes, texts lose what they must not carry.

Holds the SQL that hashes and masks, and the pads of the key. A contract's column says what happens to it: `hashed: email`, `hashed: phone`,
`masked: text`, `masked: value`; every other column of text is masked as a `code`. HMAC-SHA-256 is
sha256(outer pad || sha256(inner pad || message)); the pads are variables of the connection, so no statement, log or error message holds the
key. The patterns are those of `dagster_project.masking`; they run in linear time (RE2). It must not read files or know a feed.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import duckdb

from dagster_project.ingest.pii.ids import SUSPECT, person_form
from dagster_project.ingest.sql_text import literal
from dagster_project.masking import GUARD, GUARD_OF_CODES, OTHER_FORM, PATTERNS, PLAIN, Kind, masked

_BLOCK_BYTES = 64  # of SHA-256, RFC 2104
_PADS = ("inner_pad", "outer_pad")
_BLANKS = "' \t\r\n\u00a0\u200b\ufeff'"


def _masking(kind: Kind) -> str:
    """Return the SQL that masks a value; binding it takes 12 ms, so it is for columns whose values the guard often lets through."""
    given, plain = "".join(map(chr, PLAIN)), "".join(PLAIN.values())
    other = f"strlen(value) > length(value) and regexp_matches(value, {literal(OTHER_FORM)})"
    text = f"case when {other} then translate(value, {literal(given)}, {literal(plain)}) else value end"
    for pattern, token in PATTERNS[kind]:
        text = f"regexp_replace({text}, {literal(pattern)}, {literal(token)}, 'g')"
    return f"case when regexp_matches(value, {literal(GUARD)}) then {text} else value end"


MACROS = f"""
create or replace temp macro keyed_hash(message) as
    sha256(getvariable('outer_pad') || unhex(sha256(getvariable('inner_pad') || encode(message))));
create or replace temp macro plain_email(address) as nullif(lower(nfc_normalize(trim(address, {_BLANKS}))), '');
create or replace temp macro plain_phone(number) as case
    when regexp_matches(number, '^[^0-9+]*\\+') then nullif('+' || regexp_replace(replace(number, '(0)', ''), '[^0-9]', '', 'g'), '+')
    when regexp_matches(number, '^[^0-9]*00')
        then nullif('+' || regexp_replace(replace(number, '(0)', ''), '^[^0-9]*00|[^0-9]', '', 'g'), '+')
    else nullif(regexp_replace(number, '[^0-9]', '', 'g'), '') end;
create or replace temp macro hashed_email(address) as keyed_hash(plain_email(address));
create or replace temp macro hashed_phone(number) as keyed_hash(plain_phone(number));
create or replace temp macro masked_text(value) as {_masking("text")};
create or replace temp macro masked_code(value) as
    case when regexp_matches(value, {literal(GUARD_OF_CODES)}) and not regexp_full_match(value, '[1-9][0-9]*')
        then code_masked(value) else value end;
create or replace temp macro stored_id(value) as
    case when regexp_matches(value, {literal(SUSPECT)}) then id_without_address(value) else value end;
create or replace temp macro masked_value(value) as case when regexp_full_match(value, '[0-9]+') then value else masked_text(value) end;
set variable inner_pad = encode(uuid()::varchar);
set variable outer_pad = encode(uuid()::varchar);
"""
"""`plain_*` is the normal form: e-mail trimmed, NFC, lower case; telephone digits, with + for a leading + or 00, then without (0).

`stored_id` is an id as the lake has it: one that is an address or a number of a person, however it is spelled (`ids.py`), becomes its keyed
hash, in every feed the same.
"""
_CODES_KEPT = 10_000
_OF_IDS = "id_without_address"


@lru_cache(_CODES_KEPT)
def _code_masked(value: str) -> str:
    return masked(value, "code")


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Define the macros. Until `use_key` the key is a random one of this connection: hashes have the right form and mean nothing."""
    connection.create_function("code_masked", _code_masked, ["VARCHAR"], "VARCHAR")
    _hash_ids(connection, secrets.token_bytes())
    connection.execute(MACROS)


@contextmanager
def without_key(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Take the key away for a while: what runs meanwhile cannot find it, and hashes nothing."""
    found = [connection.execute(f"select getvariable('{name}')").fetchall()[0][0] for name in _PADS]
    for name in _PADS:
        connection.execute(f"reset variable {name}")
    try:
        yield
    finally:
        for name, pad in zip(_PADS, found, strict=True):
            if pad is not None:
                connection.execute(f"set variable {name} = ?::blob", [pad])


def stored_id(value: str, key: bytes) -> str:
    """Return an id as the macro `stored_id` does with this key."""
    form = person_form(value)
    return value if form is None else hmac.new(key, form.encode(), "sha256").hexdigest()


def use_key(connection: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """Hash with this key from now on."""
    block = (hashlib.sha256(key).digest() if len(key) > _BLOCK_BYTES else key).ljust(_BLOCK_BYTES, b"\0")
    for name, mask in zip(_PADS, (0x36, 0x5C), strict=True):
        connection.execute(f"set variable {name} = ?::blob", [bytes(byte ^ mask for byte in block)])
    connection.remove_function(_OF_IDS)
    _hash_ids(connection, key)


def _hash_ids(connection: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """Define the function for the rare ids that may be addresses: to bind the hash in SQL costs more than all other ids."""
    connection.create_function(_OF_IDS, lambda value: stored_id(value, key), ["VARCHAR"], "VARCHAR")
