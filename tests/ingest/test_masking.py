"""Which spellings of addresses and numbers are masked, and which ordinary texts stay as they are; SQL and Python mask alike."""

from __future__ import annotations

import unicodedata
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.contracts.model import feeds, load_contract
from dagster_project.ingest.pii.masking import prepare, stored_id, use_key
from dagster_project.masking import PLAIN, masked

KEY = b"k" * 40
SPELLINGS = {
    "[email]": [
        "jane.doe@victim.example", "JANE@VICTIM.EXAMPLE", "jane.doe＠victim.example", "ｊａｎｅ＠ｖｉｃｔｉｍ．ｅｘａｍｐｌｅ",
        "jane.doe\u00ad@victim.example", "jane\u200b@victim.example", "jane.doe%40victim.example", "jane%40victim%2Eexample",
        "jane&#64;victim.example", "jane&#x40;victim&#46;example", "jane&commat;victim.example", '"john doe"@victim.example',
        "jane.doe@[192.168.1.1]", "jane.doe@[IPv6:2001:db8::1]", "jane (at) victim (dot) example", "jane[at]victim[dot]example",
        "jane{at}victim.example", "jane at victim dot example", "jane@\nvictim.example", "jane@\r\nvictim.example", "jane @ victim.example",
        "zoé@exämple.org", "jane@xn--exmple-cua.org", "用户@例子.广告", "زهرا@example.com", "o'neil+x@mail.victim.example",
        "jane{1}!@victim.example",
        unicodedata.normalize("NFD", "zoé@victim.example"),
    ],
    "[phone]": [
        "0171/5550199", "0171 - 555 - 0199", "0171_5550199", "0171\u00a0555\u202f0199", "+49\u2009171\u00a05550199", "٠١٧١٥٥٥٠١٩٩",
        "०१७१५५५०१९९", "０１７１５５５０１９９", "0171–5550199", "01715550199x22", "+1 (202) 555-0100 ext. 12", "(0171) 5550199",
        "0044 20 7946 0958", "02079460958", "+49(0)171-5550199", "202.555.0100", "0171.555.0199",
    ],
    "[iban]": [
        "DE89370400440532013000", "DE89 3704 0044 0532 0130 00", "de89 3704 0044 0532 0130 00",
        "DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000",
        "DE89-3704-0044-0532-0130-00", "gb82 west 1234 5698 7654 32", "no93 8601 1117 947", "FR14 2004 1010 0505 0001 3M02 606",
    ],
    "[number]": ["123-45-6789", "4111-1111-1111-1111", "4111 1111 1111 1111"],
}  # fmt: skip
ORDINARY = [
    "order 1234567", "ORD-2026-000123", "ticket #1234567", "#45-1029", "SKU-12-3456", "INV/2026/0012", "v1.2.3", "EN 60335-1",
    "10/12/2017", "2017-12-01 10:56", "01/02/2026 10:30", "05.03.2026 12:00-14:30", "2026-01-02T10:00:00+02:00", "Q3-2026 08:00-17:00",
    "1.234.567,89 EUR", "1,234,567.89", "5 pieces @ 3.50", "100 % @ work", "size 12,345,678 bytes", "3 x 24 h", "look at example.com",
    "no12 this that word from here", "billing", "VIP support (tier 2)", "Kündigung: größere Menge", "返品のお問い合わせ", "C&A, H&M",
]  # fmt: skip
OF_OUR_OWN = [
    "canonical/orders/2026-01-02/orders_20260102.csv", "part-00000-12345678-1234-4abc-8def-123456789012.parquet",
    "marts-000001-12345678.duckdb", "orders-20260101-001.csv", "12 of 1234567890 records", "sha256 0123456789ab…",
    "see https://www.postgresql.org/docs/ for details", "a rate of 0.0938330821 or 12.0123456789",
]  # fmt: skip


@pytest.fixture(scope="module")
def sql() -> Any:
    connection = duckdb.connect(config={"threads": 1})
    prepare(connection)
    use_key(connection, KEY)
    return lambda expression, value: connection.execute(f"select {expression}", [value]).fetchone()[0]


@pytest.mark.fault("S18")
@pytest.mark.parametrize(("token", "text"), [(token, text) for token, texts in SPELLINGS.items() for text in texts])
def test_every_spelling_is_masked_alone_and_in_a_sentence(sql: Any, token: str, text: str) -> None:
    assert masked(text, "text") == sql("masked_text(?)", text) == sql("masked_code(?)", text) == token
    assert masked(f"say: {text}, please", "text") == sql("masked_text(?)", f"say: {text}, please") == f"say: {token}, please"


@pytest.mark.fault("S18")
@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("tel:01715550199x22", "tel:[phone]"),
        ("phone no. 555-0199", "phone no. [phone]"),
        ("xDE89370400440532013000x", "x[iban]x"),
        ("passport C01X00T47", "passport [number]"),
        ("mailto:jane@victim.example?subject=x", "mailto:[email]?subject=x"),
        ("on 2026-01-02 call 0171/5550199", "on 2026-01-02 call [phone]"),
    ],
)
def test_what_stands_beside_stays(sql: Any, text: str, kept: str) -> None:
    assert masked(text, "text") == sql("masked_text(?)", text) == kept


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_texts_stay_as_they_are(sql: Any, text: str) -> None:
    assert sql("masked_text(?)", text) == sql("masked_code(?)", text) == masked(text, "message") == masked(text, "text") == text


@pytest.mark.parametrize("text", OF_OUR_OWN)
def test_what_the_product_says_itself_stays(text: str) -> None:
    assert masked(text, "message") == text


@pytest.mark.fault("S17")
@pytest.mark.parametrize("text", ["jane@victim.example.csv", "0171-5550199.csv", "x_+49 171 5550199.csv", "DE89370400440532013000.csv"])
def test_a_name_of_a_file_is_masked_in_messages(text: str) -> None:
    assert masked(f"canonical/orders/2026-01-02/{text}: unreadable", "message").count("[") == 1


@settings(deadline=None, max_examples=200)
@given(st.text(st.sampled_from("ab1 0@+.-()/_\u00a0\"'&#64;%É٠０①日[]{}\n") | st.characters(codec="utf-8"), max_size=60))
def test_sql_and_python_mask_alike(text: str) -> None:
    assert _sql()("masked_text(?)", text) == masked(text, "text")


_CONNECTIONS: list[duckdb.DuckDBPyConnection] = []


def _sql() -> Any:
    if not _CONNECTIONS:
        _CONNECTIONS.append(duckdb.connect(config={"threads": 1}))
        prepare(_CONNECTIONS[0])
    return lambda expression, value: _CONNECTIONS[0].execute(f"select {expression}", [value]).fetchone()[0]


def test_digits_of_every_script_have_a_plain_form() -> None:
    written = {chr(code): unicodedata.decimal(chr(code), None) for code in range(0x660, 0x10000)}
    assert {sign: str(value) for sign, value in written.items() if value is not None} == {
        sign: PLAIN[ord(sign)] for sign, value in written.items() if value is not None
    }


def test_a_hostile_text_takes_python_no_longer_than_its_length() -> None:
    for hostile in ("a" * 20_000 + "@", "a@" * 5_000, "0 " * 5_000, "(0" * 5_000, '"' * 5_000 + "@", "a.b" * 5_000 + " at "):
        assert masked(hostile, "text") is not None


@pytest.mark.fault("S16")
def test_every_column_of_every_contract_is_clean_by_construction() -> None:
    """A key is hashed where it is an address, a list holds its own words, texts are masked: whatever column comes next."""
    for feed in feeds():
        for column in load_contract(feed).columns:
            assert column.kind in ("key", "list", "number", "instant", "text"), f"{feed}.{column.name} is of no kind: {column.sql_type}"
            assert (column.masked or column.hashed) if column.kind == "text" else not (column.masked or column.hashed), (
                f"{feed}.{column.name}: a text is masked or hashed, another column is not"
            )
            assert column.sql_type == "varchar" or column.kind != "text"
            for text in ("jane@victim.example", "+491715550199", "01715550199"):
                assert column.pattern is None or not duckdb.execute("select regexp_full_match(?, ?)", [text, column.pattern]).fetchone()[0]


@pytest.mark.fault("S16")
@pytest.mark.parametrize("value", ["Jane@victim.example", " jane@VICTIM.example", "+49 171 5550199"])
def test_an_id_that_is_an_address_becomes_its_hash_in_every_feed(sql: Any, value: str) -> None:
    hashed = sql("stored_id(?)", value)
    assert len(hashed) == 64
    assert hashed == stored_id(value, KEY) == sql("stored_id(?)", value.strip().lower())


@pytest.mark.parametrize("value", ["acc-1", "+1", "SKU@2", "01715550199", "1234567890123"])
def test_another_id_stays_as_it_is(sql: Any, value: str) -> None:
    assert sql("stored_id(?)", value) == stored_id(value, KEY) == value
