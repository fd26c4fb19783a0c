"""Which spellings of addresses and numbers are masked, and which ordinary texts stay as they are; SQL and Python mask alike."""

from __future__ import annotations

import unicodedata
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.contracts.model import feeds, load_contract
from dagster_project.ingest.pii.ids import is_suspect
from dagster_project.ingest.pii.masking import prepare, stored_id, use_key
from dagster_project.masking import PLAIN, masked, masked_path

KEY = b"k" * 40
SPELLINGS = {
    "[email]": [
        "jane.doe@victim.example", "JANE@VICTIM.EXAMPLE", "jane.doe＠victim.example", "ｊａｎｅ＠ｖｉｃｔｉｍ．ｅｘａｍｐｌｅ",
        "jane.doe\u00ad@victim.example", "jane\u200b@victim.example", "jane.doe%40victim.example", "jane%40victim%2Eexample",
        "jane&#64;victim.example", "jane&#x40;victim&#46;example", "jane&commat;victim.example", '"john doe"@victim.example',
        "jane.doe@[192.168.1.1]", "jane.doe@[IPv6:2001:db8::1]", "jane (at) victim (dot) example", "jane[at]victim[dot]example",
        "jane{at}victim.example", "jane at victim dot example", "jane@\nvictim.example", "jane@\r\nvictim.example", "jane @ victim.example",
        "zoé@exämple.org", "jane@xn--exmple-cua.org", "用户@例子.广告", "زهرا@example.com", "o'neil+x@mail.victim.example",
        "jane{1}!@victim.example", "jane(@)victim.example", "jane AT victim.example", "jane.doe at victim.example", "jane.doe@intranet",
        unicodedata.normalize("NFD", "zoé@victim.example"),
    ],
    "[phone]": [
        "0171/5550199", "0171 - 555 - 0199", "0171_5550199", "0171\u00a0555\u202f0199", "+49\u2009171\u00a05550199", "٠١٧١٥٥٥٠١٩٩",
        "०१७१५५५०१९९", "０１７１５５５０１９９", "0171–5550199", "01715550199x22", "+1 (202) 555-0100 ext. 12", "(0171) 5550199",
        "0044 20 7946 0958", "02079460958", "+49(0)171-5550199", "202.555.0100", "0171.555.0199",
        "0171·5550199", "0171*5550199",
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
    "LOOK AT EXAMPLE.COM",
    "1001@shop", "T-1001@desk",
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
def test_what_is_next_to_it_stays(sql: Any, text: str, kept: str) -> None:
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
    assert masked_path(f"canonical/orders/2026-01-02/{text}").count("[") == 1


NUMBERS_IN_NAMES = [
    "202-555-0143",
    "202.555.0143",
    "(202) 555-0143",
    "123-45-6789",
    "4111-1111-1111-1111",
    "138-0013-8000",
    "3782-822463-10005",
]
"""As people write them, with no sign that only a telephone number has."""


@pytest.mark.fault("S17")
@pytest.mark.parametrize("number", NUMBERS_IN_NAMES)
def test_a_number_that_begins_with_no_0_is_masked_in_the_name_of_a_file_and_in_messages(number: str) -> None:
    for name in (f"{number}.csv", f"customer {number} (2).csv", f"customer-{number}-2026-01-02.csv"):
        path = f"canonical/orders/2026-01-02/{name}"
        for text in (masked_path(path), masked(f"{path}: unreadable", "message")):
            assert number not in text
            assert text.count("[") == 1
            assert text.startswith("canonical/orders/2026-01-02/")


@pytest.mark.fault("S17")
@pytest.mark.parametrize(
    "number", [*(number.replace("-", sign) for number in NUMBERS_IN_NAMES for sign in " _"), "4111111111111111", "378282246310005"]
)
def test_in_the_name_of_a_file_a_number_may_have_other_signs_or_none(number: str) -> None:
    assert masked_path(f"a/b/2026-01-02/customer_{number}_export.csv").count("[") == 1


@pytest.mark.parametrize(
    "name",
    [
        "orders_2026-01-02.csv", "orders_01-02-2026.csv", "orders-20260102-101500.csv", "orders_2026_01_02.csv", "part-001-12-2025.csv",
        "20260102101500.csv", "20260102101500123.csv", "31122025101500.csv", "1764444444444.csv", "1764444444444444.csv",
        "orders_1234567890.csv",
        "part-00000-12345678-1234-4abc-8def-123456789012.parquet", "part-00000-12345678-1234-4123-8123-123456789012-c000.csv",
        "export-0123456789abcdef0123.csv", "orders (2).csv", "v1.2.3-orders.csv", "redacted-FORGOTTEN-1-000001.parquet",
    ],
)  # fmt: skip
def test_a_name_of_a_file_with_dates_counts_and_hashes_stays(name: str) -> None:
    assert masked_path(f"canonical/orders/2026-01-02/{name}") == f"canonical/orders/2026-01-02/{name}"


@settings(deadline=None, max_examples=200)
@given(st.text(st.sampled_from("ab1 0@+.-()/_\u00a0\"'&#64;%É٠０①日[]{}\n") | st.characters(codec="utf-8"), max_size=60))
def test_sql_and_python_mask_alike(text: str) -> None:
    assert _sql()("masked_text(?)", text) == masked(text, "text")


_CONNECTIONS: list[duckdb.DuckDBPyConnection] = []


def _connection() -> duckdb.DuckDBPyConnection:
    if not _CONNECTIONS:
        _CONNECTIONS.append(duckdb.connect(config={"threads": 1}))
        prepare(_CONNECTIONS[0])
    return _CONNECTIONS[0]


def _sql() -> Any:
    return lambda expression, value: _connection().execute(f"select {expression}", [value]).fetchone()[0]


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


WIDE = {code - 0xFEE0: chr(code) for code in range(0xFF01, 0xFF5F)}
AT_SIGNS = ["@", "＠", "﹫", "%40", "%2540", "&#64;", "&#x40;", "&commat;", " (at) ", "(at)", "[at]", "{AT}", "(@)", " @ ", "\u200b@"]
DOTS = [".", "．", "%2e", "&#46;", "&period;", " (dot) ", "[dot]"]
NUMBERS = [
    "+49 171 5550199", "+491715550199", "(202) 555-0180", "(0171) 5550199", "0171 5550199", "0171/5550199", "0171-5550199", "0171-555-0199",
    "06 12 34 56 78", "06.12.34.56.78", "03-1234-5678", "090-1234-5678", "020 7946 0958", "0049 171 5550199", "0171 5550199 ext. 3",
]  # fmt: skip
PREFIXES = ["", "tel:", "Tel. ", "tel ", "callto:", "phone: ", "\u200b"]
ORDINARY_IDS = [
    "A0000001", "12345678", "0012345678", "01715550199", "1234567890123", "555-0143", "1-555-0143", "202-555-0143", "123-1234567-1234567",
    "ORD-2026-000123", "INV/2026/0012", "01/2026/12345", "03/2026/00017", "01.02.2026 12345", "2026-01-02", "0100-200-300",
    "0100-1000-2000",
    "01-20-1000-300", "0400-12345", "0012-345678", "00-1234-5678-90", "01-2345678", "01234567-1234-4234-8234-123456789012", "telco-12345",
    "FAX-2026", "sms:12345678", "phone:sales", "T-1001@desk", "1001@shop", "C&A", "Müller & Söhne (Nord)", "customer (1234567)",
    "(2026) 0001",
    "100% wool", "KÜ-0001", "look at example.com", "https://x.example/a?id=1",
]  # fmt: skip


@pytest.mark.fault("S16", "S18")
@settings(deadline=None, max_examples=150)
@given(
    st.from_regex(r"[a-z]{2,8}(\.[a-z]{2,8})?", fullmatch=True), st.from_regex(r"[a-z]{3,9}", fullmatch=True),
    st.sampled_from(AT_SIGNS), st.sampled_from(DOTS), st.sampled_from(["", "mailto:"]), st.booleans(), st.booleans(),
)  # fmt: skip
def test_every_spelling_of_one_address_is_one_hash(
    name: str, domain: str, at: str, dot: str, scheme: str, is_capital: bool, is_wide: bool
) -> None:
    value = f"{scheme}{name}{at}{domain}{dot}example"
    value = value.upper() if is_capital and at.isascii() and "&" not in at + dot else value
    value = value.translate(WIDE) if is_wide else value
    assert _sql()("stored_id(?)", value) == _sql()("stored_id(?)", f"{name}@{domain}.example") != value


@pytest.mark.fault("S16", "S18")
@pytest.mark.parametrize("number", NUMBERS)
def test_every_spelling_of_a_telephone_number_is_hashed(sql: Any, number: str) -> None:
    for prefix in PREFIXES:
        for value in (f"{prefix}{number}", f"{prefix}{number}".translate(WIDE), f" {prefix}{number} "):
            assert sql("stored_id(?)", value) == sql("stored_id(?)", number) == stored_id(value, KEY) != value


@pytest.mark.parametrize("value", ORDINARY_IDS)
def test_an_ordinary_id_stays_as_it_is(sql: Any, value: str) -> None:
    assert sql("stored_id(?)", value) == stored_id(value, KEY) == value


@settings(deadline=None, max_examples=300)
@given(st.one_of(st.uuids().map(str), st.from_regex(r"[A-Z]{0,4}[-_#/]?[0-9]{1,12}", fullmatch=True), st.integers(0).map(str)))
def test_ids_as_systems_make_them_stay(value: str) -> None:
    assert _sql()("stored_id(?)", value) == value


@settings(deadline=None, max_examples=300)
@given(st.text(st.sampled_from("abtel1 0@+.-()/_\u00a0&#64;%É٠０①日[]{}:") | st.characters(codec="utf-8"), max_size=30))
def test_sql_and_python_store_ids_alike(value: str) -> None:
    use_key(_connection(), KEY)
    assert _sql()("stored_id(?)", value) == stored_id(value, KEY)


def test_every_sign_that_means_a_digit_or_a_sign_is_looked_at() -> None:
    for code in (*range(0x80, 0xD800), *range(0xE000, 0x110000)):
        plain = unicodedata.normalize("NFKC", chr(code).translate(PLAIN))
        assert len(plain) != 1 or plain not in "@+%&()[]{}<>0123456789" or is_suspect(chr(code)), hex(code)
