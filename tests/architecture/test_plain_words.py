"""The product speaks plain words: each word below has been replaced by the field's own; without this, a reader has to learn it again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

INSTEAD = {
    "door|doors": "ingest",
    "settle|settles|settled|settling": "deduplicate, decide, check, name",
    "bury|buries|buried|burying": "anonymise, erase",
    "tombstone|tombstones": "register of forgotten persons, `ErasedPerson`",
    "foresight": "preview",
    "twin|twins": "Parquet export",
    "touched": "affected, changed",
    "reveal|reveals|revealed|revealing": "release",
    "flip|flips|flipped|flipping": "switch",
    "beside": "next to, in addition to, a lookup",
    "survivor|survivors": "surviving account, surviving ticket",
    "told": "reported, message",
    "mend|mends|mended|mending": "repair, fix",
    "lie|lies|lay|stands|stood": "is, is in, remains",
    "dear|dearer|dearest": "expensive",
    "anew": "again",
    "whoever": "anyone who, the caller",
    "litter|litters": "leftover",
    "left out": "excluded, omitted",
}
FOLDERS = ("dagster_project", "expectations", "demo_company", "dbt/models", "dbt/tests", "dbt/macros", "docs")
SUFFIXES = (".py", ".sql", ".yml", ".yaml", ".j2", ".md")
FILE_NAMES = re.compile(r"[\w./-]*\d{4}-[\w-]+\.md")
"""Names of decision pages keep the words they were published with."""
ALLOWED = {
    ("dagster_project/ledger/ledger_2.sql", "tombstones"): "a table of the ledger: homes that exist have it under this name",
    ("dagster_project/ingest/pii/register.py", "tombstones"): "the same table",
    ("dagster_project/ingest/mapping/streams.py", "beside"): "a word of the mapping interface that older mappings may still hold",
    ("docs/decisions/0026-selects-look-beside-them.md", "beside"): "the same word, where it was decided",
    ("demo_company/codes.py", "told"): "a customer's own sentence",
}
LEFT_OUT = re.compile(r"left_out", re.IGNORECASE)
"""The column of the mapping interface in which a SELECT gives its reason; with the underscore it is a name that users type."""

WORDS = {word: instead for words, instead in INSTEAD.items() for word in words.split("|")}
PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def plain(line: str) -> str:
    """Return the words of a line, those of identifiers too, in small letters and with one blank between them."""
    return " ".join(part.lower() for part in PARTS.findall(LEFT_OUT.sub(" ", FILE_NAMES.sub(" ", line))))


def found_in(line: str) -> list[str]:
    """Return the words to replace in a line."""
    words = f" {plain(line)} "
    return [word for word in WORDS if f" {word} " in words]


def test_no_page_module_or_model_uses_a_word_that_was_replaced(project_dir: Path) -> None:
    paths = [path for folder in FOLDERS for path in (project_dir / folder).rglob("*") if path.suffix in SUFFIXES]
    wrong, used = [], set()
    for path in sorted([project_dir / "README.md", *paths]):
        name = path.relative_to(project_dir).as_posix()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for word in found_in(line):
                used.add((name, word))
                if (name, word) not in ALLOWED:
                    wrong.append(f"{name}:{number}: {word!r}; write: {WORDS[word]}")
    assert wrong == []
    assert sorted(ALLOWED.keys() - used) == [], "allowed, and not there any more"


@pytest.mark.parametrize(
    "line",
    [
        "make_door(tmp_path)", "class TombstoneRow:", "-- The file lies there.", "Whoever reads it", "`told_by`", "it was left out.",
        "GET_TWINS", "  - name: score_lies_on_its_scale",
    ],
)  # fmt: skip
def test_a_replaced_word_is_found_in_prose_and_in_names(line: str) -> None:
    assert found_in(line)


@pytest.mark.parametrize(
    "line",
    [
        "[decision 26](0026-selects-look-beside-them.md)", "select null as left_out", "outdoor, understands, families, besides",
        "a policy that applies", "account_touches",
    ],
)  # fmt: skip
def test_other_words_that_hold_its_letters_are_none(line: str) -> None:
    assert found_in(line) == []
