"""How a text file is written: delimiter, encoding, words for nothing.

Holds one record; it must not read a file.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Dialect:
    """How a text file is written; declared by the mapping, never guessed."""

    delimiter: str = ","
    encoding: str = "utf-8"
    null_words: tuple[str, ...] = ("",)
