"""Which delivered files ingest reads, by their names, and the bounds of each.

Holds the table of suffixes and the limits, both in this one place. It must not open a file, and imports nothing heavy: the
inventory passes through here.
"""

from __future__ import annotations

from dataclasses import dataclass

from dagster_project.errors import FileUnread

DELIMITERS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}
_KINDS = {**dict.fromkeys(DELIMITERS, "text"), ".jsonl": "jsonl", ".ndjson": "jsonl", ".xlsx": "xlsx", ".parquet": "parquet"}
_PACKINGS = (".gz", ".zst", ".zip")
ACCEPTED = "csv, tsv, txt, jsonl (each plain, .gz, .zst or .zip of one file), xlsx, parquet"

HEADER_BYTES = 1 << 20
COLUMNS = 2_000
LINE_BYTES = 10 << 20  # a line and a record; a field cannot be longer
ARCHIVE_BYTES = 2 << 30  # gz, zst, zip and xlsx as they are
RATIO = 200  # how many times an archive may grow
RATIO_GRACE_BYTES = 1 << 20  # a small file of equal lines compresses better than any bomb has to
TEXT_BYTES = 64 << 30  # unpacked; a stream may set its own `max_bytes`
RECORDS = 500_000_000  # of a file; a stream may set its own `max_records`
SHEET_CELLS = 20_000_000  # rows times columns of a worksheet, which its reader holds in memory


@dataclass(frozen=True)
class Format:
    """What a file name says: `kind` (text, jsonl, xlsx, parquet; empty for a zip, whose member tells), `packing` and delimiter.

    `member` is the one file of a zip that was looked into.
    """

    kind: str
    packing: str = ""
    delimiter: str = ","
    member: str = ""


def format_of(name: str, shown: object) -> Format:
    """Return the format of a file by its name.

    Raises
    ------
    InputRefused
        No accepted suffix; `shown` is the path that the message names.
    """
    plain = name.lower()
    packing = next((suffix for suffix in _PACKINGS if plain.endswith(suffix)), "")
    if packing == ".zip":
        return Format("", packing)
    suffix = "".join(plain.removesuffix(packing).rpartition(".")[1:])
    kind = _KINDS.get(suffix, "")
    if not kind or (packing and kind not in ("text", "jsonl")):
        raise FileUnread(f"{shown}: format not supported; supported: {ACCEPTED}; remedy: export it as one of these")
    return Format(kind, packing, DELIMITERS.get(suffix, ","))
