"""Taking records out of files of every format: nothing of them stays, all else does. Breaks: a trace stays, or another's record goes."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

import duckdb
import pytest
import python_calamine

from dagster_project.ingest.readers.dialect import Dialect
from dagster_project.privacy.proof import look
from dagster_project.privacy.records import delivered_records, remove
from tests.ingest.formats_workbook import Raw, sheet, workbook
from tests.privacy.landing_files import ORDERS, erase, order, pack, unpack


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.tsv", "a.tsv.zst", "a.txt.zip", "A.CSV.GZ"])
def test_all_other_bytes_are_kept_in_any_encoding(tmp_path: Path, encoding: str, name: str) -> None:
    delimiter = "," if ".csv" in name.lower() else "\t"
    records = ["id,text\r\n", "1,é\n", '2,"two\r\nlines ""x"""\r\n', "\r\n", '3,broken"quote\n', "4,last"]
    lines = [record.replace(",", delimiter) for record in records]
    path = tmp_path / name

    def bytes_of(*left_out: int) -> bytes:
        return "".join(line for at, line in enumerate(lines) if at not in left_out).encode(encoding)

    pack(path, bytes_of())
    remove(path, Dialect(encoding=encoding), {2})
    assert unpack(path) == bytes_of(2)
    records_left = [record for record in delivered_records(path, Dialect(encoding=encoding)) if record.number]
    assert [(record.number, record.values["id"]) for record in records_left[::2]] == [(1, "1"), (3, "4")]


@pytest.mark.fault("S8")
@pytest.mark.parametrize("suffix", ["csv.zip", "csv.zst", "zip"])
def test_packed_deliveries_are_cleaned_too(ingest: Any, suffix: str) -> None:
    path: Path = ingest.settings.landing / f"canonical/orders/2026-01-02/a.{suffix}"
    if suffix == "zip":
        path.parent.mkdir(parents=True)
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("inner.csv", ORDERS + order(1, "acc-zoe", "") + order(2, "acc-ann", ""))
    else:
        pack(path, (ORDERS + order(1, "acc-zoe", "") + order(2, "acc-ann", "")).encode())
    ingest.deliver("canonical/accounts/2026-01-02/a.csv", "account_id,account_name\nacc-zoe,Zoe Zander\nacc-ann,Ann\n")
    ingest.walk()
    assert hits(ingest) == ["accounts/2026-01-02/a.csv", f"orders/2026-01-02/a.{suffix}"]
    assert erase(ingest)[1]["records_removed"][f"canonical/orders/2026-01-02/a.{suffix}"] == 1
    assert hits(ingest) == []
    assert not ingest.walk().refusals
    assert ingest.all("select order_id, account_id from lake.orders order by 1") == [("o1", "FORGOTTEN-1"), ("o2", "acc-ann")]


def hits(ingest: Any) -> list[str]:
    landing = ingest.settings.landing
    return [Path(hit).relative_to(landing / "canonical").as_posix() for hit in look([landing], re.compile("acc-zoe")).hits]


@pytest.mark.fault("S8")
def test_rows_of_a_worksheet_are_emptied_and_texts_that_only_they_showed(ingest: Any) -> None:
    """Shared texts: 0 the person's name, 1 a segment that others have too, 2 a name with a break, 3 another's name on the second sheet."""
    shared = "".join(f"<si><t>{text}</t></si>" for text in ("Zoe Zander", "gold", "A&amp;B&#13;\n Ltd", "Eve"))
    head, blank = ["account_id", "account_name", "segment"], Raw('t="s"><v>1</v>')
    rows: list[list[object]] = [
        head,
        ["acc-zoe", Raw('t="s"><v>0</v>'), blank],
        [],
        ["acc-ann", Raw('t="s"><v>2</v>'), blank],
        ["acc-zoe", Raw("><f>1/0</f><v>7</v>"), None],
    ]
    path = ingest.settings.landing / "canonical/accounts/2026-01-02/a.xlsx"
    path.parent.mkdir(parents=True)
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    sheets = {"Accounts": sheet(rows), "Notes": sheet([[Raw('t="s"><v>3</v>')]])}
    path.write_bytes(workbook(sheets, {"xl/sharedStrings.xml": f'<sst xmlns="{main}">{shared}</sst>'}))
    ingest.walk()
    read = "select account_id, account_name, segment from lake.accounts order by record_number"
    before = ingest.all(read)
    assert before == [("acc-ann", "A&B\r\n Ltd", "gold"), ("acc-zoe", "7", None)], "of two rows of a key the later one counts"
    assert hits(ingest) == ["accounts/2026-01-02/a.xlsx"]

    assert erase(ingest)[1]["records_removed"] == {"canonical/accounts/2026-01-02/a.xlsx": 2}
    assert hits(ingest) == []
    book = python_calamine.CalamineWorkbook.from_path(str(path))
    assert book.get_sheet_by_name("Accounts").to_python() == [head, ["", "", ""], ["", "", ""], ["acc-ann", "A&B\r\n Ltd", "gold"]]
    assert book.get_sheet_by_name("Notes").to_python() == [["Eve"]]
    assert b"Zoe" not in b"".join(read_members(path))
    assert not ingest.walk().refusals
    assert ingest.all(read.replace("order by", "where account_id not like 'FORGOTTEN%' order by")) == [before[0]]


def read_members(path: Path) -> list[bytes]:
    with zipfile.ZipFile(path) as archive:
        return [archive.read(name) for name in archive.namelist()]


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "csv.zst", "csv.zip", "CSV.GZ"])
def test_a_word_that_two_pieces_of_the_search_share_is_found(tmp_path: Path, suffix: str) -> None:
    pack(tmp_path / f"a.{suffix}", b" " * ((4 << 20) - 4) + b"acc-zoe" + b" " * 9)
    proof = look([tmp_path], re.compile("acc-zoe"))
    assert proof.hits == [str(tmp_path / f"a.{suffix}")]
    assert proof.unpacked_bytes == (0 if suffix == "csv" else (4 << 20) + 12)


def test_json_lines_and_parquet_lose_the_records_by_number(tmp_path: Path) -> None:
    lines = tmp_path / "a.jsonl"
    lines.write_text('{"id": 1}\n\n{"id": "zoe"}\n{"id": 3}\n')
    remove(lines, Dialect(), {2})
    assert lines.read_text() == '{"id": 1}\n\n{"id": 3}\n'
    parquet = tmp_path / "a.parquet"
    duckdb.sql(f"copy (select i as id, 'r' || i as name from range(5) t(i)) to '{parquet}'")
    remove(parquet, Dialect(), {1, 5})
    assert duckdb.sql(f"select id, name from read_parquet('{parquet}')").fetchall() == [(1, "r1"), (2, "r2"), (3, "r3")]
    assert [record.values["name"] for record in delivered_records(parquet, Dialect())] == ["r1", "r2", "r3"]
