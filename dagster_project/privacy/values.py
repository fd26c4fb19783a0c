"""What was only in records of a person, in whichever column: addresses and numbers, and phrases such as a name in the wrong cell.

Holds the look through delivered files. A value that a record of somebody else has too is not the person's. It must not change a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dagster_project.masking import addresses
from dagster_project.privacy.records import DeliveredRecord
from dagster_project.privacy.search import LandingFile, Search

_LONGEST_PHRASE = 200
"""A longer text is a comment or a mail: nothing repeats it word for word."""
_PHRASE = re.compile(r"[^\W\d_]{2,}\W+(?:\w+\W+)*?[^\W\d_]{2,}")
_ENDING = re.compile(r"(\.(csv|tsv|txt|jsonl|parquet|xlsx|gz|zst|zip))+$", re.IGNORECASE)
_BETWEEN = re.compile(r"[\s<>,;:\"'()|=]+")


def find_own_values(found: Search, files: Sequence[LandingFile]) -> None:
    """Add to the person the addresses, numbers and phrases that are in found records and the names of their files, and in no other."""
    own, phrases = set[str](), set[str]()
    for record in _records(found, files, are_found=True):
        for value in record.values.values():
            text = value.strip()
            own |= set(addresses(text))
            if len(text) <= _LONGEST_PHRASE and _PHRASE.search(text):
                phrases.add(text)
    for file in found.found:
        own |= set(addresses(_ENDING.sub("", file.path.name)))
    others = _records(found, files, are_found=False) if own or phrases else ()
    for record in others:
        phrases.difference_update(value.strip() for value in record.values.values())
        own.difference_update(_BETWEEN.split(record.text))
        own -= {value for value in own if " " in value and value in record.text}
    found.person.addresses |= own
    found.person.words |= own
    found.person.phrases |= phrases - own


def _records(found: Search, files: Sequence[LandingFile], *, are_found: bool) -> Iterator[DeliveredRecord]:
    for file in files:
        numbers = found.found.get(file, set())
        if not (are_found and not numbers):
            yield from (record for record in file.records() if record.number and (record.number in numbers) == are_found)
