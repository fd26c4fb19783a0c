"""Show text of strangers safely: control characters appear as escapes, so that no name and no value moves a cursor or turns a line around.

Everything that reaches a terminal, a log or an alert goes through here; CSV is exact, JSON has its own escapes.
"""

from __future__ import annotations

import re

UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""C0, DEL and C1; marks, embeddings, overrides and isolates of direction; separators of lines; bytes of a name that is not UTF-8."""


def escaped(text: str) -> str:
    r"""Return one line of text with `\n`, `\x1b` or `\u202e` in place of each control character."""
    return UNSAFE.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode(), text)


def escaped_lines(text: str) -> str:
    """Return text whose own line ends stay, and nothing else that moves a cursor."""
    return "\n".join(map(escaped, text.split("\n")))
