"""How a value may be spelled, as SQL: signs of numbers, forms of instants and local times through their zone.

Holds SQL text over the name of a text column. It must not know a contract.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from itertools import groupby

from dagster_project.ingest.readers.dialect import Dialect

BLANKS = "\t\n\v\f\r \u00a0\u1680" + "".join(map(chr, range(0x2000, 0x200E))) + "\u202f\u205f\u2060\u3000\ufeff"
"""What does not belong to an identifier at its ends: blanks, no-break blanks and characters without a width."""
_TO_THE_MINUTE = 16  # characters of 2026-01-01T10:00, which has no offset
_NO_OFFSET = r"[+-](1[5-9]|[2-9]\d)(:?\d\d){0,2}$|[+-]14:?(0[1-9]|[1-5]\d)$|[+-]\d\d:?[6-9]\d$"  # beyond 14 hours, or minutes that are none
_OFFSET = r":\d\d?(\.\d+)?\s*(Z|UTC|[+-]\d\d(:?\d\d)?)$"
TRUE_WORDS = ("true", "t", "1", "yes", "y")
"""How exports write true, in small letters."""
FALSE_WORDS = ("false", "f", "0", "no", "n")
"""How exports write false, in small letters."""


def literal(value: str) -> str:
    """Quote a text as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Quote a column name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def identifier_value(value: str) -> str:
    """Return an identifier in its one form, as `identifier_form` does: NFC, without outer blanks. Capitals stay as they are."""
    return unicodedata.normalize("NFC", value).strip(BLANKS)


def identifier_form(text: str) -> str:
    """Return the SQL of an identifier in its one form; nothing is left of one that is all blanks."""
    return f"case when {has_other_form(text)} then nullif(trim(nfc_normalize({text}), {literal(BLANKS)}), '') else {text} end"


def has_other_form(text: str) -> str:
    """Return the test for an identifier that `identifier_form` changes. Plain ASCII, nearly all there is, needs cheap comparisons only."""
    ends = " and ".join(f"not ends_with({text}, {literal(sign)})" for sign in BLANKS if sign.isascii())
    is_plain = f"strlen({text}) = length({text}) and {text} > '!' and {ends}"
    return f"case when {is_plain} then false else trim(nfc_normalize({text}), {literal(BLANKS)}) <> {text} end"


def has_compatibility_form(text: str) -> str:
    """Return the test for an identifier in its one form that holds another shape of plain signs, such as full-width letters."""
    return f"case when strlen({text}) = length({text}) then false else regexp_matches({text}, {literal(_shapes())}) end"


@cache
def _shapes() -> str:
    """Return the pattern of the signs that are in NFC and that NFKC replaces by plain ones; there are none beyond these planes."""
    codes = [code for code in range(0xA0, 0x20000) if unicodedata.normalize("NFC", chr(code)) != unicodedata.normalize("NFKC", chr(code))]
    ranges = [[code for _, code in run] for _, run in groupby(enumerate(codes), lambda pair: pair[1] - pair[0])]
    return f"[{''.join(f'{chr(run[0])}-{chr(run[-1])}' for run in ranges)}]"


def plain_number(text: str, dialect: Dialect) -> str:
    """Return the number with a point as decimal sign; what is not grouped by threes keeps a sign that no number has."""
    sign = dialect.thousands
    if sign is not None:
        grouped = rf"-?[0-9]{{1,3}}([{sign}][0-9]{{3}})+([{dialect.decimal}][0-9]*)?"
        plain = f"replace({text}, {literal(sign)}, '')"
        text = f"case when regexp_full_match({text}, {literal(grouped)}) then {plain} else replace({text}, {literal(sign)}, '?') end"
    return f"translate({text}, ',.', '.?')" if dialect.decimal == "," else text


def _is_local(text: str) -> str:
    """Return the test for the most common form of a local time, such as 2026-01-01 10:00:00, which leaves no room for an offset.

    Texts of another length cost a fifth of the pattern.
    """
    return f"(strlen({text}) = 19 and {text} like '____-__-_____:__:__')"


def instant(text: str, zone: str, formats: tuple[str, ...]) -> str:
    """Return the instant: by its offset, else as local time of the zone; only in the declared forms where there are some."""
    if formats:
        listed = ", ".join(map(literal, formats))
        return f"earlier_instant(try_strptime({text}, [{listed}]), {literal(zone)})"
    if zone == "UTC":
        # without an offset the engine asks its calendar, even for UTC: 220 ns a value, the local time 80 and the test for the form 30
        local = f"make_timestamptz(epoch_us(try_cast({text} as timestamp)))"
        return f"case when {_is_local(text)} then {local} else try_cast({text} as timestamptz) end"
    has_offset = f"case when {_is_local(text)} then false else regexp_matches({text}, {literal(_OFFSET)}) end"
    local = f"earlier_instant(try_cast({text} as timestamp), {literal(zone)})"
    return f"case when {has_offset} then try_cast({text} as timestamptz) else {local} end"


def has_impossible_offset(text: str) -> str:
    """Return the test for an offset that no clock has. Only `case` keeps the engine from matching every value, which costs two casts."""
    has_none = f"ends_with({text}, 'Z') or strlen({text}) <= {_TO_THE_MINUTE} or {_is_local(text)}"
    return f"case when {has_none} then false else regexp_matches({text}, {literal(_NO_OFFSET)}) end"
