"""How a value may be spelled, as SQL: signs of numbers, forms of instants and local times through their zone.

Holds SQL text over the name of a text column. It must not know a contract.
"""

from __future__ import annotations

import unicodedata

from dagster_project.ingest.readers.dialect import Dialect

BLANKS = "\t\n\v\f\r \u00a0\u1680" + "".join(map(chr, range(0x2000, 0x200E))) + "\u202f\u205f\u2060\u3000\ufeff"
"""What does not belong to an identifier at its ends: blanks, no-break blanks and characters without a width."""
_OFFSET = r":\d\d(\.\d+)?\s*(Z|UTC|[+-]\d\d(:?\d\d)?)$"
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
    blanks = " || ".join(f"chr({ord(sign)})" for sign in BLANKS)
    return f"case when {has_other_form(text)} then nullif(trim(nfc_normalize({text}), {blanks}), '') else {text} end"


def has_other_form(text: str) -> str:
    """Return the test for an identifier that `identifier_form` changes. Plain ASCII, nearly all there is, is told by cheap comparisons."""
    blanks = " || ".join(f"chr({ord(sign)})" for sign in BLANKS)
    ends = " and ".join(f"not ends_with({text}, chr({ord(sign)}))" for sign in BLANKS if sign.isascii())
    is_plain = f"strlen({text}) = length({text}) and {text} > '!' and {ends}"
    return f"case when {is_plain} then false else trim(nfc_normalize({text}), {blanks}) <> {text} end"


def plain_number(text: str, dialect: Dialect) -> str:
    """Return the number with a point as decimal sign; what is not grouped by threes keeps a sign that no number has."""
    sign = dialect.thousands
    if sign is not None:
        grouped = rf"-?[0-9]{{1,3}}([{sign}][0-9]{{3}})+([{dialect.decimal}][0-9]*)?"
        plain = f"replace({text}, {literal(sign)}, '')"
        text = f"case when regexp_full_match({text}, {literal(grouped)}) then {plain} else replace({text}, {literal(sign)}, '?') end"
    return f"translate({text}, ',.', '.?')" if dialect.decimal == "," else text


def instant(text: str, zone: str, formats: tuple[str, ...]) -> str:
    """Return the instant: by its offset, else as local time of the zone; only in the declared forms where there are some."""
    if formats:
        listed = ", ".join(map(literal, formats))
        return f"earlier_instant(try_strptime({text}, [{listed}]), {literal(zone)})"
    if zone == "UTC":
        return f"try_cast({text} as timestamptz)"
    has_offset = f"regexp_matches({text}, {literal(_OFFSET)})"
    local = f"earlier_instant(try_cast({text} as timestamp), {literal(zone)})"
    return f"case when {has_offset} then try_cast({text} as timestamptz) else {local} end"
