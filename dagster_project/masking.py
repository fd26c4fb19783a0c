"""What looks like an address or a number of a person, and the tokens that replace it: one list of patterns for Python and SQL.

Holds patterns and their use in Python; `ingest/pii/masking.py` uses the same ones in SQL. Every pattern is written in the part of the
syntax that RE2 and Python's `re.ASCII` read alike, and none looks ahead or behind. It must not import any other module of the project.

Four kinds of text are masked. A `text` is what people write: all patterns. A `code` is a word or an id in an open column (a queue, a
tag): links stay. A `message` is what the product says itself (errors, warnings): its own counts and hashes stay, so only what
cannot be one of them goes. A `file` is the name of a delivered file: as a message, but numbers may be parted by blanks and `_`.
"""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["text", "code", "message", "file"]

_LETTERS = (
    "0-9A-Za-z\u00aa\u00b5\u00ba\u00c0-\u1fff\u2c00-\u2dff\u3005-\u3007\u3021-\ud7ff\uf900-\ufe0f\ufe20-\ufe4f\ufe70-\ufefe"
    "\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\uff66-\uffdc\U00010000-\U0001efff\U00020000-\U0003ffff"
)
"""Letters, digits and marks of every script, without punctuation and emoji."""
_HAN = "[\u3400-\u9fff]"
_AT = r"(?:@|%40|&#0*64;|&#x0*40;|&commat;)"
_AT_IN_BRACKETS = r" ?[\[({<] ?(?:at|ät|arroba|@) ?[\])}>] ?"
_DOT = r"(?:\.|%2e|&#0*46;|&period;| ?[\[({<] ?(?:dot|punkt|point|punto) ?[\])}>] ?)"
_DOT_AS_WORD = r"(?:[ ]?[\[({<] ?(?:dot|punkt|point|punto) ?[\])}>] ?| (?:dot|punkt|punto) )"
_LOCAL = rf"(?:\"[^\"\n]{{1,64}}\"|[{_LETTERS}!#$*^`{{}}~._%+'-]+|[/=&|?])"
_LABEL = rf"[{_LETTERS}-]+"
_LAST = "[A-Za-z\u00c0-\u1fff\u3041-\ud7ff][A-Za-z\u00c0-\u1fff\u3041-\ud7ff-]+"  # of a domain that is not written in one piece
_EMAIL = (
    rf"(?i){_LOCAL}(?:{_AT}(?:\[[0-9a-z:.]+\]|{_LABEL}(?:{_DOT}{_LABEL})+)"
    rf"|(?: ?{_AT}\s{{1,2}}| {_AT}|{_AT_IN_BRACKETS})(?:{_LABEL}{_DOT})+{_LAST}"
    rf"|(?:{_AT_IN_BRACKETS}| (?:at|arroba) )(?:{_LABEL}{_DOT_AS_WORD})+{_LAST}"
    r"|(?-i: AT (?:[0-9a-z-]+\.)+[a-z]{2,})\b)"
    r"|\b[a-z]+[._][a-z._%+'-]+ at (?:[0-9a-z-]+\.)+[a-z]{2,}\b"  # jane.doe at example.com, not: look at example.com
    r"|\b[a-z._%+'-]+@[a-z][a-z-]+\b"  # jane@intranet, not 1001@shop, which is an id
)
_IBAN = (
    r"\b[A-Z]{2}[0-9]{2}(?:[ .-]?[A-Z0-9]{4}){2}(?:[ .-]?[A-Z0-9]{3}|(?:[ .-]?[A-Z0-9]{4}){1,5}(?:[ .-]?[A-Z0-9]{1,3})?)\b"
    r"|(?i:\b[A-Z]{2}[0-9]{2}[ .-]?[A-Z0-9]{4}(?:[ .-]?[0-9]{4}){2}(?:[ .-]?[A-Z0-9]{4}){0,5}(?:[ .-]?[A-Z0-9]{1,3})?)\b"
    r"|(?i:\b[A-Z]{2}[0-9]{2}(?:[ .-]?[0-9]{4}){2}[ .-]?[0-9]{3})\b"
    r"|[A-Z]{2}[0-9]{14,30}"  # glued to a word
)
_GAP = r"[ ()./_·*-]{0,3}"
_EXTENSION = r"(?: ?(?:x|ext\.?|extension|durchwahl) ?[0-9]{1,6})?"
_AFTER_WORD = (  # tel 555-0199
    r"(\b(?:tel|telephone|telefon|phone|fon|fax|mobile|mobil|handy|cell|call|whatsapp|sms)\b[.:]?"
    r"(?: ?(?:no|nr|number|nummer)\b\.?)?[:= ]{0,2})"
    rf"\(?[0-9](?:{_GAP}[0-9]){{4,8}}(?:{_EXTENSION}\b|\b)"
)
_AFTER_TRUNK = rf"(?:\(0[0-9]{{0,4}}\)|0[1-9])(?:{_GAP}[0-9]){{7,12}}(?:{_EXTENSION}\b|\b)"  # 0171/5550199
_TRUNK = rf"(^|[^0-9A-Za-z]){_AFTER_TRUNK}"
_ABROAD = rf"[0-9(](?:{_GAP}[0-9]){{6,16}}{_EXTENSION}"  # after + or 00
_AREA = r"\(?\b[0-9]{2,3}\)?[ ./_-]{0,3}[0-9]{3,5}[ ./_-]{1,3}[0-9]{4}\b"  # 202-555-0100
_PAPER = (
    r"(\b(?:passport|passnummer|reisepass|ausweis|personalausweis|passeport|ssn|social security)"
    r"(?: ?(?:no|nr|number|nummer|#)\.?)?[:= ]{0,2})"
    r"[A-Z]{0,3}[0-9][A-Z0-9-]{5,11}\b"
)


def _in_names(gap: str, card: str = "") -> tuple[tuple[str, str], ...]:
    """Return the patterns of numbers with this sign between groups: no date, count or hash, and no month after the number of a part."""
    not_a_month = rf"(?:(?:1[3-9]|[2-9][0-9]){gap}[0-9]{{4}}|[0-9]{{2}}{gap}(?:[03-9][0-9]|1[0-8]|2[1-9])[0-9]{{2}})"
    phone = rf"[2-9][0-9]{{2}}{gap}[0-9]{{3}}{gap}[0-9]{{4}}"
    cards = rf"[3-6][0-9]{{3}}(?:{gap}[0-9]{{4}}){{3}}|3[47][0-9]{{2}}{gap}[0-9]{{6}}{gap}[0-9]{{5}}{card}"
    return (
        (rf"\([2-9][0-9]{{2}}\)[ ._-]{{0,2}}[0-9]{{3}}{gap}[0-9]{{4}}{_BEHIND}", r"[phone]\1"),
        (rf"{_BEFORE}(?:{phone}|1[3-9][0-9]{gap}[0-9]{{4}}{gap}[0-9]{{4}}){_BEHIND}", r"\1[phone]\2"),
        (rf"{_BEFORE}(?:[0-9]{{3}}{gap}{not_a_month}|{cards}){_BEHIND}", r"\1[number]\2"),
    )


_CARD = "|[3-6][0-9]{15}|3[47][0-9]{13}"  # instants in a name begin with the year or a smaller digit
_BEFORE, _BEHIND = "(^|[^0-9A-Za-z])", "([^0-9A-Za-z]|$)"
_STRIPPED = (
    ("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]", ""),  # invisible
    (rf"{_HAN}*(?:爱游戏|亚博|博彩|彩票|赌场|真人娱乐|体育下载){_HAN}*", ""),  # a betting site's word with the characters glued to it
)
_KEPT = "\ue000"
"""Put after the parts of a date while numbers are looked for, so that no date is part of one."""
_DATES = (
    (r"\b((?:19|20|21)[0-9]{2})([-/.])([0-9]{1,2})([-/.][0-9]{1,2})\b", rf"\1{_KEPT}\2\3\4{_KEPT}"),
    (r"\b([0-9]{1,2}[-/.])([0-9]{1,2}[-/.])((?:19|20|21)[0-9]{2})\b", rf"\1{_KEPT}\2{_KEPT}\3{_KEPT}"),
)
_LINK = (r"(?i)\b(?:https?://|www\.)[^\s<>\x22]+", "[link]")
_ADDRESSES = ((_EMAIL, "[email]"), (_IBAN, "[iban]"))
_PHONE = (rf"(?i){_TRUNK}|(?:\+|\b00){_ABROAD}|{_AREA}", r"\1[phone]")
_SURE_PHONE = (rf"(?i)(^|[^0-9A-Za-z.]|(?:^|[^0-9])\.){_AFTER_TRUNK}|\+{_ABROAD}", r"\1[phone]")  # no decimals of a number
_NAMED_PHONE = (rf"(?i){_AFTER_WORD}", r"\1[phone]")
_NUMBER = (rf"(?i){_PAPER}|\b[0-9]{{3}}[ -][0-9]{{2}}[ -][0-9]{{4}}\b|\b[0-9](?:[ .-]?[0-9]){{10,18}}\b|\b[0-9]{{8,}}\b", r"\1[number]")
PATTERNS: dict[Kind, tuple[tuple[str, str], ...]] = {
    "text": (*_STRIPPED, _LINK, *_DATES, *_ADDRESSES, _PHONE, _NAMED_PHONE, _NUMBER, (_KEPT, "")),
    "code": (*_STRIPPED, *_DATES, *_ADDRESSES, _PHONE, _NAMED_PHONE, _NUMBER, (_KEPT, "")),
    "message": (*_STRIPPED, *_DATES, *_ADDRESSES, _SURE_PHONE, _NAMED_PHONE, *_in_names("[.-]"), (_KEPT, "")),
    "file": (*_STRIPPED, *_DATES, *_ADDRESSES, _SURE_PHONE, _NAMED_PHONE, *_in_names("[ ._-]", _CARD), (_KEPT, "")),
}
"""For each kind of text the patterns in order of use, and what replaces them; they read a text in its `PLAIN` form."""
_ZEROS = "٠۰߀०০੦૦୦௦౦೦൦෦๐໐༠၀႐០᠐᥆᧐᪀᪐᭐᮰᱀᱐꘠꣐꤀꧐꧰꩐꯰０𐒠𑁦𝟎𝟘𝟢𝟬𝟶"
PLAIN = {
    **{ord(zero) + digit: chr(ord("0") + digit) for zero in _ZEROS for digit in range(10)},
    **{code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},
    **dict.fromkeys([0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000], " "),
    **dict.fromkeys([*range(0x2010, 0x2016), 0x2212, 0xFE58, 0xFE63, 0xFF0D], "-"),
    0xFE6B: "@",
    0xFE52: ".",
    0xFF61: ".",
}
"""Digits of all scripts, wide letters and signs, blanks and dashes, and how ASCII writes them."""
OTHER_FORM = "[" + "".join(map(re.escape, map(chr, PLAIN))) + "]"
"""A character that `PLAIN` changes."""
_DIGIT = f"[0-9{''.join(f'{zero}-{chr(ord(zero) + 9)}' for zero in _ZEROS)}]"
_GUARD_OF_ADDRESSES = (
    r"[@＠﹫]|%40|&#|&commat|[ \[({<](?:dot|punkt|point|punto)[ \])}>]|[\[({<] ?(?:at|ät|arroba) ?[\])}>]| at [^ ]+\.[a-z]"
    rf"|{_STRIPPED[0][0]}|爱游戏|亚博|博彩|彩票|赌场|真人娱乐|体育下载"
)
_WORD_BEFORE_NUMBER = r"(?:tel|telefon|phone|fon|fax|mobile?|handy|cell|call|whatsapp|sms)[ .:=a-z]{0,12}\(?[0-9]|pass|ausweis|ssn"
GUARD = rf"(?i){_GUARD_OF_ADDRESSES}|://|www\.|{_DIGIT}(?:[^0-9]{{0,3}}{_DIGIT}){{7}}|{_WORD_BEFORE_NUMBER}"
"""Found in every text that `PATTERNS` change: one cheap look spares nearly all others."""
GUARD_OF_CODES = (
    r"(?i)[@&%<(\[{]|[^\x00-\x7F]| dot | punkt | punto | at |://|www\.|[0-9](?:[^0-9]{0,3}[0-9]){7}"
    rf"|{_WORD_BEFORE_NUMBER}"
)
"""As `GUARD`, and quicker to compile: it lets a few more texts through."""
_GUARD_OF_MESSAGES = (
    rf"(?i){_GUARD_OF_ADDRESSES}|{OTHER_FORM}|\+[0-9(]|\(0|(?:^|[^0-9a-z])0[1-9](?:{_GAP}[0-9]){{7}}"
    rf"|[a-z]{{2}}[0-9]{{2}}[ .-]?[0-9a-z]{{4}}|{_WORD_BEFORE_NUMBER}"
    r"|[0-9]{3}(?:[.-]|\)[ ._-]{0,2})[0-9]{2,6}[.-][0-9]{4}"
)
_GUARDS: dict[Kind, str] = {"text": GUARD, "code": GUARD, "message": _GUARD_OF_MESSAGES, "file": "[^A-Za-z]"}
_LONGEST_LOCAL = "{1,64}"
"""Python tries again from each letter where RE2 does not; an address has no longer name."""


def _compiled(kind: Kind) -> tuple[re.Pattern[str], list[tuple[re.Pattern[str], str]]]:
    bounded = (pattern.replace("%+'-]+", f"%+'-]{_LONGEST_LOCAL}") for pattern, _ in PATTERNS[kind])
    patterns = [(re.compile(pattern, re.ASCII), token) for pattern, (_, token) in zip(bounded, PATTERNS[kind], strict=True)]
    return re.compile(_GUARDS[kind], re.ASCII), patterns


_COMPILED: dict[Kind, tuple[re.Pattern[str], list[tuple[re.Pattern[str], str]]]] = {}


_PLAIN_NUMBER = re.compile(r"-?[1-9][0-9]*(?:[.,][0-9]{1,4})?")
"""Alone in a cell it is an id or an amount; a number of a telephone without + begins with 0."""


def masked(text: str, kind: Kind) -> str:
    """Return a text without what looks like an address or a number of a person; most texts stay as they are."""
    if kind == "code" and _PLAIN_NUMBER.fullmatch(text):
        return text
    if kind not in _COMPILED:
        _COMPILED[kind] = _compiled(kind)
    guard, patterns = _COMPILED[kind]
    if guard.search(text) is None:
        return text
    if not text.isascii():
        text = text.translate(PLAIN)
    for pattern, token in patterns:
        text = pattern.sub(token, text)
    return text


def masked_path(path: str) -> str:
    """Return a path of the landing folder with the name of its file masked; its folders are a system, a stream and a day."""
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}{masked(name, 'file')}"


def addresses(text: str) -> set[str]:
    """Return the e-mail addresses, account numbers of banks and telephone numbers in a text; digits alone are an id as well."""
    found = set[str]()
    if not text.isascii():
        text = text.translate(PLAIN)
    for pattern, token in _COMPILED.setdefault("text", _compiled("text"))[1]:
        if token.endswith(("[email]", "[iban]", "[phone]")):
            whole = (match.group(0)[len(match.group(1) or "") if match.re.groups else 0 :].strip() for match in pattern.finditer(text))
            found |= {value for value in whole if not value.isdigit()}
        text = pattern.sub(token, text)
    return found
