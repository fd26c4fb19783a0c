"""Personal values at ingest: e-mail addresses and telephone numbers become keyed hashes, free text loses what it must not carry.

Holds the SQL that hashes and masks, and the pads of the key. A contract's column says what happens to it: `hashed: email`, `hashed: phone`,
`masked: text`, `masked: value`. HMAC-SHA-256 is sha256(outer pad || sha256(inner pad || message)); the pads are variables of the
connection, so no statement, log or error message holds the key. The patterns run in linear time (RE2). It must not read files or know
a feed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

_BLOCK_BYTES = 64  # of SHA-256, RFC 2104
_PADS = ("inner_pad", "outer_pad")
_BLANKS = "' \t\r\n\u00a0\u200b\ufeff'"
_INVISIBLE = r"[\x{200B}-\x{200F}\x{2060}\x{FEFF}]"
_INJECTED = r"\p{Han}*(?:爱游戏|亚博|博彩|彩票|赌场|真人娱乐|体育下载)\p{Han}*"
"""What spam puts into the middle of a text: a word of a betting site with the characters glued to it."""
_MASKS = (
    (_INVISIBLE, ""),
    (_INJECTED, ""),
    (r"(?i)\b(?:https?://|www\.)[^\s<>\x22]+", "[link]"),
    (r"[\p{L}\p{N}._%+'-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+", "[email]"),
    (r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2}(?: ?[A-Z0-9]{3}|(?: ?[A-Z0-9]{4}){1,5}(?: ?[A-Z0-9]{1,3})?)\b", "[iban]"),
    (r"(?:\+|\b00)[0-9](?:[ ()./-]{0,2}[0-9]){6,14}\b", "[phone]"),
    (r"(?:\(0[0-9]{0,4}\)|\b0[0-9])(?:[ ().-]{0,2}[0-9]){7,12}\b", "[phone]"),
    (r"\(?\b[0-9]{2,3}\)?[ .-]?[0-9]{3,5}[ .-][0-9]{4}\b", "[phone]"),
    (r"\b[0-9](?:[ .-]?[0-9]){10,18}\b", "[number]"),
    (r"\b[0-9]{8,}\b", "[number]"),
)
"""Patterns in order of use, and what stands in their place."""


def _masking() -> str:
    text = "text_value"
    for pattern, token in _MASKS:
        text = f"regexp_replace({text}, '{pattern.replace(chr(39), chr(39) * 2)}', '{token}', 'g')"
    return text


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
create or replace temp macro masked_text(text_value) as {_masking()};
create or replace temp macro masked_value(field_value) as
    case when regexp_full_match(field_value, '[0-9]+') then field_value else masked_text(field_value) end;
set variable inner_pad = encode(uuid()::varchar);
set variable outer_pad = encode(uuid()::varchar);
"""
"""`plain_*` is the normal form: e-mail trimmed, NFC, lower case; telephone digits, with + for a leading + or 00, then without (0)."""


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Define the macros. Until `use_key` the key is a random one of this connection: hashes have the right form and mean nothing."""
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


def use_key(connection: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """Hash with this key from now on."""
    block = (hashlib.sha256(key).digest() if len(key) > _BLOCK_BYTES else key).ljust(_BLOCK_BYTES, b"\0")
    for name, mask in zip(_PADS, (0x36, 0x5C), strict=True):
        connection.execute(f"set variable {name} = ?::blob", [bytes(byte ^ mask for byte in block)])
