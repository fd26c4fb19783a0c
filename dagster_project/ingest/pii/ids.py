"""Ids that are an e-mail address or a telephone number, however they are spelled, and the one form in which they are hashed.

Holds the quick look at an id, one pattern that SQL and Python read alike, and the slow decision about the few that it lets through. What
an address is says `dagster_project.masking`; a telephone number is judged more strictly than in texts, because orders, invoices and cost
centres are numbers too: it begins with +, with a word such as `tel:`, with digits in parentheses, or with 0 in groups as people write
them. It must not know a key or a feed.
"""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache
from urllib.parse import unquote

from dagster_project.masking import PLAIN, masked

_WORD = (
    "(?:[Tt][Ee][Ll](?:[Ee][Ff][Oo][Nn]|[Ee][Pp][Hh][Oo][Nn][Ee])?|[Cc][Aa][Ll][Ll][Tt][Oo]|[Pp][Hh][Oo][Nn][Ee]|[Ff][Oo][Nn]|[Ff][Aa][Xx]"
    "|[Mm][Oo][Bb][Ii][Ll][Ee]?|[Hh][Aa][Nn][Dd][Yy]|[Ww][Hh][Aa][Tt][Ss][Aa][Pp][Pp]|[Ss][Mm][Ss]|[Ss][Ii][Pp])[.]?[ :=/]{0,3}"
)
_SPELLED_SIGNS = (
    "\u00a0\u00ad\u00b2\u00b3\u00b7\u00b9\u061c\u066a\u1680\u180e\u2000-\u209f\u2212\u2460-\u249b\u24ea\u2768-\u2775\u3000\ufb29\ufe35-\ufe6f"
    "\ufeff\uff01-\uff5e\uff61\U0001d7ce-\U0001d7ff\U0001f100-\U0001f10a\U0001fbf0-\U0001fbf9"
)
"""Signs beyond ASCII that mean a digit, a sign of an address or a number, or nothing."""
_DIGITS = "".join(sorted(f"{chr(code)}-{chr(code + 9)}" for code, digit in PLAIN.items() if digit == "0"))
BETWEEN = "\a"
"""The sign between the ids of a record where `SUSPECT_AMONG` looks at all of them at once; it is none of the blanks that are trimmed."""


def _suspect(start: str) -> str:
    return (
        rf"[@(\[{{<{_SPELLED_SIGNS}{_DIGITS}]|%[0-9A-Fa-f][0-9A-Fa-f]|&#|&[A-Za-z]+;| [Aa][Tt] | [Aa][Rr][Rr][Oo][Bb][Aa] "
        rf"|{start}\s*(?:\+|00?[1-9][0-9.-]*[ /(*]|0[1-9][0-9]{{1,4}}[._-][0-9]{{6}}|0[1-9][0-9]{{0,3}}[./-][0-9]{{3,4}}[.-][0-9]{{4}}"
        rf"|0[1-9](?:[.-][0-9]{{2}}){{4}}|{_WORD}[+0-9])"
    )


SUSPECT = _suspect("^")
"""Found in every id that is an address or a number; hardly ever in another."""
SUSPECT_AMONG = _suspect(f"(?:^|{BETWEEN})")
"""Found in ids with `BETWEEN` between them where `SUSPECT` is found in one of them."""
_BLANKS = " \t\r\n\u00a0\u200b\ufeff"
_INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]")
_TIMES_ESCAPED = 3
_AT = re.compile(r"(?i)\s*[\[({<]\s*(?:at|ät|arroba|@)\s*[\])}>]\s*|\s+(?:at|arroba)\s+|\s*@\s*")
_DOT = re.compile(r"(?i)\s*[\[({<]\s*(?:dot|punkt|point|punto)\s*[\])}>]\s*|\s+(?:dot|punkt|punto)\s+")
_SUSPECT = re.compile(SUSPECT, re.ASCII)
_NAMED = re.compile(_WORD, re.ASCII)
_EXTENSION = r"(?: ?(?:x|ext\.?|extension|durchwahl) ?[0-9]{1,6})?"
_NUMBER = re.compile(
    r"(?i)(?:"
    r"\([0-9]{2,5}\)(?:[ ./*·-]{0,3}[0-9]){5,10}"  # (202) 555-0180
    r"|00[1-9](?=[0-9.-]*[ /(*·])(?:[ ()./*·-]{0,3}[0-9]){7,14}"  # 0049 171 5550199
    r"|0[1-9](?=[0-9.-]*[ (*·])(?:[ ()./*·-]{0,3}[0-9]){7,12}"  # 0171 5550199
    r"|0[1-9][0-9]{1,4} ?/ ?[0-9]{5,9}"  # 0171/5550199
    r"|0[1-9](?=[0-9._-]{9})[0-9]{1,4}[._-][0-9]{6,9}"  # 0171-5550199, not 0400-12345
    r"|0[1-9][0-9]{2,3}[/.-][0-9]{3}[.-][0-9]{4}"  # 0171-555-0199
    r"|0[1-9](?:[.-][0-9]{2}){4}"  # 06.12.34.56.78
    r"|0[1-9]-[0-9]{4}-[0-9]{4}|0[1-9]0-[0-9]{4}-[0-9]{4}|0[1-9][0-9]-[0-9]{3}-[0-9]{4}"  # 03-1234-5678
    rf"){_EXTENSION}",
    re.ASCII,
)
_FEWEST_DIGITS = 9
_AFTER_TEL = re.compile(r"\(?[0-9](?:[ ()./_*·-]{0,3}[0-9]){4,16}", re.ASCII)
_TEL = ("tel", "callto")
_DATE = re.compile(
    r"(?:^|[^0-9])(?:[0-9]{1,2}[./-][0-9]{1,2}[./-](?:19|20)[0-9]{2}|(?:19|20)[0-9]{2}[./-][0-9]{1,2}[./-][0-9]{1,2})", re.ASCII
)


def is_suspect(value: str) -> bool:
    """Tell whether an id may be an address or a number: the quick look that `person_form` takes first."""
    return _SUSPECT.search(value) is not None


@lru_cache(10_000)
def person_form(value: str) -> str | None:
    """Return the form in which an id that is an address or a telephone number is hashed, one for all its spellings; None for another id."""
    if not is_suspect(value):
        return None
    plain = _plain(value)
    address = plain.removeprefix("mailto:").strip("<>")
    if masked(address, "code") == "[email]":
        return _DOT.sub(".", _AT.sub("@", address))
    number = plain
    if named := _NAMED.match(plain):
        number = plain[named.end() :]
        if plain.startswith(_TEL) and _AFTER_TEL.fullmatch(number):
            return number
    if ("@" in plain or number.startswith("+")) and masked(number, "code") != number:
        return number
    is_number = _NUMBER.fullmatch(number) and sum(sign.isdigit() for sign in number) >= _FEWEST_DIGITS and not _DATE.search(number)
    return number if is_number else None


def _plain(value: str) -> str:
    """Return a value in small letters of one width, without escapes and invisible characters."""
    for _ in range(_TIMES_ESCAPED if not value.isascii() or "%" in value or "&" in value else 0):
        escaped = _INVISIBLE.sub("", unicodedata.normalize("NFKC", value.translate(PLAIN)))
        value = unquote(html.unescape(escaped))
        if value == escaped:
            break
    return value.strip(_BLANKS).lower()
