"""A header that is not one row of unique names: what is read all the same, what is refused, and what the refusal says."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.errors import UsageError
from dagster_project.ingest.mapping.systems import Mappings
from dagster_project.ingest.readers.dialect import Dialect
from dagster_project.ingest.readers.header import give_names, without_lines
from dagster_project.privacy.records import delivered_records
from tests.ingest.formats_workbook import sheet, workbook

ORDERS = "order_id,ordered_at,currency_code,net_amount\n1,2026-01-01T10:00:00Z,EUR,1.00\n2,2026-01-01T10:00:00Z,EUR,2.00\n"


def refusal(ingest: Any) -> str:
    return "\n".join(ingest.walk().refusals)


def declare(tmp_path: Path, text: str) -> Path:
    folder = tmp_path / "mappings"
    (folder / "canonical").mkdir(parents=True, exist_ok=True)
    (folder / "canonical/canonical.yml").write_text(text)
    return folder


@given(st.lists(st.sampled_from(["", " ", "a", "A", "a_2", "column_1", "column_2", "b"]), max_size=8))
def test_every_column_has_one_name_and_the_first_of_a_name_keeps_it(cells: list[str]) -> None:
    header = give_names(cells, {})
    assert len({name.lower() for name in header.columns}) == len(cells)
    for at, cell in enumerate(cells):
        if cell.strip() and cell.lower() not in [other.lower() for other in cells[:at]]:
            assert header.columns[at] == cell


@given(st.lists(st.sampled_from(["a\n", "b\r\n", "\n", "c\r"]), max_size=6), st.integers(0, 3), st.integers(1, 4))
def test_lines_above_the_header_are_left_out_however_the_text_is_cut(lines: list[str], count: int, size: int) -> None:
    data = "".join([*lines, "x"]).encode()
    expected = data.splitlines(keepends=True)
    chunks = (data[at : at + size] for at in range(0, len(data), size))
    if len(expected) > count:
        assert b"".join(without_lines(chunks, count, Path("a.csv"))) == b"".join(expected[count:])


def test_a_column_that_nobody_reads_may_be_unnamed_or_repeated(till: Any) -> None:
    ingest = till()
    ingest.deliver("till/sales/2026-01-02/a.csv", "number,day,customer,net,,note,NOTE\n1,2026-01-01 10:00:00,c,1.00,x,y,z\n")
    reported = "\n".join(ingest.walk().warnings)
    assert "new column column_5" in reported
    assert "new column NOTE_2" in reported
    assert ingest.all("select account_id from lake.orders") == [("c",)]


@pytest.mark.parametrize("header", ["number,day,customer,net,Net", "number,day,customer,,"])
def test_an_ambiguous_column_that_is_read_is_refused_until_its_position_is_declared(till: Any, header: str) -> None:
    row = "1,2026-01-01 10:00:00,c,1.00,2.00\n"
    ingest = till()
    ingest.deliver("till/sales/2026-01-02/a.csv", f"{header}\n{row}")
    assert "positions: {4: net" in refusal(ingest)
    ingest = till("positions: {4: net, 5: gross}")
    ingest.walk()
    assert ingest.all("select net_amount::decimal(18, 2)::varchar from lake.orders") == [("1.00",)]


def test_a_position_may_not_rename_a_column_that_has_its_own_name(till: Any) -> None:
    ingest = till("positions: {3: net}")
    ingest.deliver("till/sales/2026-01-02/a.csv", "number,day,customer,net\n1,2026-01-01 10:00:00,c,1.00\n")
    assert "positions calls column 3 net, the header calls it customer" in refusal(ingest)


def test_an_unnamed_column_of_a_worksheet_is_read_by_its_position(till: Any) -> None:
    rows: list[list[object]] = [["Sales 2026", None, None, None], ["number", "day", "customer", None], ["1", "2026-01-01", "c", 1.5]]
    ingest = till("positions: {4: net}", "header_row: 2")
    ingest.deliver("till/sales/2026-01-02/a.xlsx", workbook({"Data": sheet(rows)}))
    ingest.walk()
    assert ingest.all("select order_id, net_amount::decimal(18, 2)::varchar from lake.orders") == [("1", "1.50")]


@pytest.mark.parametrize("packing", ["", ".gz"])
@pytest.mark.parametrize("bad", ["", "3,2026-01-01T10:00:00Z\n"])
def test_a_title_above_the_header_is_told_and_declared(make_ingest: Any, tmp_path: Path, bad: str, packing: str) -> None:
    name = f"canonical/orders/2026-01-02/a.csv{packing}"
    ingest = make_ingest()
    path = ingest.deliver(name, f"Report, daily\n\n{ORDERS}{bad}").resolve()
    assert "line 3 has 3 of the 3 required columns: declare header_row: 3" in refusal(ingest)
    ingest = make_ingest("second", mappings=declare(tmp_path, "streams:\n  orders: {header_row: 3}\n"))
    ingest.assumptions = ingest.assumptions.model_copy(update={"quarantine_threshold_rate": Decimal(1)})
    report = ingest.walk()
    assert [(file.physical, file.loaded) for file in report.files] == [(2 + bool(bad), 2)]
    if bad:
        assert ingest.ledger.rows("select record_number, line_number from quarantine") == [(3, 6)]
    records = [record for record in delivered_records(path, Dialect(header_row=3)) if record.number]
    assert [record.values["order_id"] for record in records] == ["1", "2", *(["3"] if bad else [])]


def test_another_delimiter_is_told_and_declared(make_ingest: Any, tmp_path: Path) -> None:
    ingest = make_ingest()
    ingest.deliver("canonical/orders/2026-01-02/a.csv", ORDERS.replace(",", ";"))
    assert 'declare delimiter: ";"' in refusal(ingest)
    make = declare(tmp_path, 'streams:\n  orders: {delimiter: ";"}\n')
    ingest = make_ingest("second", mappings=make)
    ingest.walk()
    assert ingest.all("select count(*) from lake.orders") == [(2,)]


@pytest.mark.parametrize(("encoding", "reported"), [("cp1252", "cp1252"), ("utf-16", "utf-16"), ("utf-16-le", "utf-16-le")])
def test_another_encoding_is_reported_and_declared(make_ingest: Any, tmp_path: Path, encoding: str, reported: str) -> None:
    ingest = make_ingest()
    ingest.deliver("canonical/orders/2026-01-02/a.csv", ORDERS.replace("1,2026", "é1,2026").encode(encoding))
    assert f"declare encoding: {reported} in the YAML" in refusal(ingest)
    ingest = make_ingest("second", mappings=declare(tmp_path, f"streams:\n  orders: {{encoding: {reported}}}\n"))
    ingest.walk()
    assert ingest.all("select min(order_id), max(order_id) from lake.orders") == [("2", "é1")]


def test_the_yaml_of_canonical_feeds_says_only_how_files_are_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"canonical\.yml:2: streams.*no contract for feed order"):
        _ = Mappings(declare(tmp_path, "streams:\n  order: {}\n".replace("streams:\n", "# words\nstreams:\n"))).system("canonical").file
    with pytest.raises(UsageError, match=r"canonical\.yml:3: .*columns"):
        _ = Mappings(declare(tmp_path, "streams:\n  orders:\n    columns: [a]\n")).system("canonical").file
