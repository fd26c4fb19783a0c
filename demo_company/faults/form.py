"""Faults of form: archives, encodings, line ends, quotes, fields and header — before any value is looked at."""

from __future__ import annotations

import codecs
import struct
import zlib

from demo_company.draws import Draws
from demo_company.faults.entries import Entry
from demo_company.faults.landing import Landing, Row, Table, drawn, key

_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_BLOCK = 65_535


def _stored_blocks(data: bytes) -> list[bytes]:
    """Deflate blocks without compression: the same bytes whatever the compression library."""
    pieces = [data[start : start + _BLOCK] for start in range(0, len(data), _BLOCK)]
    last = len(pieces) - 1
    return [bytes([place == last]) + struct.pack("<HH", len(piece), len(piece) ^ 0xFFFF) + piece for place, piece in enumerate(pieces)]


def truncated_gzip(landing: Landing, _: Draws) -> list[Entry]:
    """Cut an archive so that what can still be unpacked ends with a complete line: a reader without checks loads a part in silence."""
    delivery = landing.smallest("orders")
    text = delivery.path.read_bytes()
    half = text.index(b"\n", len(text) // 2) + 1
    open_ended = _stored_blocks(text[:half])
    open_ended[-1] = b"\x00" + open_ended[-1][1:]
    return [landing.refused(delivery, _GZIP_HEADER + b"".join(open_ended), "D5", "archive damaged", name="orders.csv.gz")]


def bad_crc(landing: Landing, _: Draws) -> list[Entry]:
    """Store a wrong checksum at the end of an archive whose content is complete."""
    delivery = landing.smallest("interactions")
    text = delivery.path.read_bytes()
    trailer = struct.pack("<II", zlib.crc32(text) ^ 1, len(text) & 0xFFFFFFFF)
    archive = _GZIP_HEADER + b"".join(_stored_blocks(text)) + trailer
    return [landing.refused(delivery, archive, "D5", "archive damaged", name="interactions.csv.gz")]


def zero_bytes(landing: Landing, _: Draws) -> list[Entry]:
    """Leave a file of no bytes where a delivery should be."""
    return [landing.refused(landing.smallest("tickets"), b"", "D6", "0 bytes")]


def byte_order_mark(landing: Landing, _: Draws) -> list[Entry]:
    """Begin a file with the UTF-8 byte order mark, as spreadsheets do."""
    delivery = landing.smallest("order_lines")
    landing.add("order_lines", delivery.day, delivery.path.name, codecs.BOM_UTF8 + delivery.path.read_bytes())
    return [landing.entry("order_lines", delivery.path, "unchanged", "F3", "declared encoding", delivery.records)]


def utf16(landing: Landing, _: Draws) -> list[Entry]:
    """Write a file in UTF-16 that is declared as UTF-8."""
    delivery = landing.smallest("interactions")
    text = delivery.path.read_text(encoding="utf-8")
    return [landing.refused(delivery, codecs.BOM_UTF16_LE + text.encode("utf-16-le"), "F3", "declared encoding")]


def latin1(landing: Landing, _: Draws) -> list[Entry]:
    """Write an accented comment in Latin-1 in a file that is declared as UTF-8."""
    delivery = landing.smallest("survey_responses", at_least=1)
    table = landing.read(delivery)
    table.rows[0]["comment"] = "Très bien, merci"
    delivery.path.write_text(table.text(), encoding="utf-8", newline="")
    spoiled = table.text().encode("latin-1")
    return [landing.refused(delivery, spoiled, "F3", "declared encoding", records=[key("survey_responses", table.rows[0])])]


def nul_byte(landing: Landing, draws: Draws) -> list[Entry]:
    """Put a NUL byte into a value."""
    delivery = landing.smallest("tickets")
    table = landing.read(delivery)
    row = table.rows[drawn(draws, len(table.rows))]
    row["issue_code"] += "\0"
    return [landing.refused(delivery, table.text(), "F2", "NUL byte", records=[key("tickets", row)])]


def unclosed_quote(landing: Landing, _: Draws) -> list[Entry]:
    """Open a quote in the first comment of a file and never close it: it swallows every record after it."""
    delivery = landing.smallest("survey_responses", at_least=1)
    table = landing.read(delivery)
    for row in table.rows:
        row["comment"] = row["comment"].replace('"', "'").replace(",", ";")
    table.rows[0]["comment"] = "UNCLOSED"
    spoiled = table.text().replace("UNCLOSED", '"and then the line went dead')
    return [landing.refused(delivery, spoiled, "F2", "quote never closed", records=[key("survey_responses", row) for row in table.rows])]


def mixed_line_ends(landing: Landing, _: Draws) -> list[Entry]:
    """End every other line with CR LF and hold a line end inside quotes: both are legal."""
    delivery = landing.largest("survey_responses")
    table = landing.read(delivery)
    table.rows[0]["comment"] = "Two lines:\nboth of them legal"
    before, quoted, after = table.text().partition(table.rows[0]["comment"])
    text = before + quoted + "".join(_line_ends(after))
    landing.add("survey_responses", delivery.day, delivery.path.name, text)
    return [landing.entry("survey_responses", delivery.path, "unchanged", "F2", "record", [key("survey_responses", table.rows[0])])]


def _line_ends(text: str) -> list[str]:
    lines = text.split("\n")
    return [line + ("\r\n" if number % 2 else "\n") for number, line in enumerate(lines[:-1])] + lines[-1:]


def ragged_rows(landing: Landing, draws: Draws) -> list[Entry]:
    """Insert a record with a field too few into one file, and one with a field too many into another."""
    entries = []
    for change in (lambda fields: fields[:-1], lambda fields: [*fields, "surplus"]):
        delivery = landing.largest("interactions")
        table = landing.read(delivery)
        lines = table.text().splitlines()
        fields = lines[1 + drawn(draws, len(table.rows))].split(",")
        fields[0] += "-ragged_rows"
        lines.insert(1 + drawn(draws, len(table.rows)), ",".join(change(fields)))
        entries.append(landing.spoiled(delivery, "\n".join(lines) + "\n", "F1", "field_count", [fields[0]]))
    return entries


def reordered_columns(landing: Landing, draws: Draws) -> list[Entry]:
    """Write the columns of a file in another order; they go by their names."""
    delivery = landing.smallest("order_lines")
    table = landing.read(delivery)
    turn = 1 + drawn(draws, len(table.header) - 1)
    landing.add("order_lines", delivery.day, delivery.path.name, Table(table.header[turn:] + table.header[:turn], table.rows).text())
    return [landing.entry("order_lines", delivery.path, "unchanged", "F11", "header by name", delivery.records)]


def renamed_column(landing: Landing, _: Draws) -> list[Entry]:
    """Rename a required column."""
    delivery = landing.smallest("orders")
    header, rest = delivery.path.read_text(encoding="utf-8").split("\n", 1)
    return [landing.refused(delivery, header.replace("ordered_at", "order_date") + "\n" + rest, "F10", "required column")]


def new_column(landing: Landing, _: Draws) -> list[Entry]:
    """Add a column that no contract knows."""
    delivery = landing.smallest("tickets")
    table = landing.read(delivery)
    rows: list[Row] = [row | {"mood": "calm"} for row in table.rows]
    landing.add("tickets", delivery.day, delivery.path.name, Table([*table.header, "mood"], rows).text())
    return [landing.entry("tickets", delivery.path, "warned", "F9", "column read by no feed", delivery.records)]
