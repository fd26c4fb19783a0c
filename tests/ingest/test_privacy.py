"""What passes ingest of a person: keyed hashes of addresses and numbers, masked texts, and never the key."""

from __future__ import annotations

import hmac
import stat
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.contracts.model import feeds, load_contract
from dagster_project.errors import UsageError
from dagster_project.ingest.pii.masking import prepare, use_key
from dagster_project.ingest.pii.register import ErasedPerson, keep_erased
from demo_company.faults.values import HOSTILE
from tests.ingest.mapping_files import write_system

SECRET = "a secret of the secret store, long enough"
HEAD = "contact_id,account_id,email_hash,phone_hash\n"
SURVEY = "response_id,question_key,responded_at,comment\n"


def signed(message: str, key: str = SECRET) -> str:
    return hmac.new(key.encode(), message.encode(), "sha256").hexdigest()


def everything_below(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def sql() -> Any:
    connection = duckdb.connect()
    prepare(connection)
    use_key(connection, SECRET.encode())
    return lambda expression, value: connection.execute(f"select {expression}", [value]).fetchone()[0]


@pytest.mark.parametrize("message", ["", "a", "é€😀", "x" * 5_000])
@pytest.mark.parametrize("key", ["k" * 32, "k" * 64, "k" * 65, "ключ" * 20])
def test_the_keyed_hash_is_hmac_sha256(message: str, key: str) -> None:
    connection = duckdb.connect()
    prepare(connection)
    use_key(connection, key.encode())
    assert connection.execute("select keyed_hash(?)", [message]).fetchone() == (signed(message, key),)


@pytest.mark.fault("S7")
def test_addresses_and_numbers_become_keyed_hashes_of_their_normal_form(make_ingest: Callable[..., Any]) -> None:
    ingest = make_ingest(hash_key=SECRET)
    accented = unicodedata.normalize("NFD", "Zoé@Example.org")
    ingest.deliver(
        "canonical/contacts/2026-01-02/a.csv",
        HEAD + f'c1,a1, {accented} ,+41 (0)44 668 18 00\nc2,a1,zoé@example.ORG,0041 44 668-18-00\nc3,a2,,044 668 18 00\nc4,a2,"  ",n/a\n',
    )
    ingest.walk()
    email, phone = signed("zoé@example.org"), signed("+41446681800")
    assert ingest.all("select contact_id, email_hash, phone_hash from lake.contacts order by 1") == [
        ("c1", email, phone),
        ("c2", email, phone),
        ("c3", None, signed("0446681800")),
        ("c4", None, None),
    ]


@pytest.mark.fault("S7")
def test_parquet_numbers_and_mapped_columns_are_hashed_like_text(make_ingest: Callable[..., Any], tmp_path: Path) -> None:
    mappings = write_system(
        tmp_path / "mappings",
        "crm",
        "time_zone: UTC\nstreams:\n  people:\n    columns: [id, mail, tel]\n"
        "    feeds:\n      contacts: {sql: contacts.sql, records: true}\n",
        contacts="select record_number, id as contact_id, 'a' as account_id, mail as email_hash, tel::bigint as phone_hash from source",
    )
    ingest = make_ingest(hash_key=SECRET, mappings=mappings)
    ingest.deliver("crm/people/2026-01-02/a.csv", "id,mail,tel\nc1,Canary@Example.org,446681800\n")
    folder = ingest.settings.landing / "canonical" / "contacts" / "2026-01-02"
    folder.mkdir(parents=True)
    duckdb.sql(
        f"copy (select 'c2' as contact_id, 'a' as account_id, ' canary@example.org' as email_hash, 446681800 as phone_hash)"
        f" to '{folder}/a.parquet'"
    )
    ingest.walk()
    assert set(ingest.all("select email_hash, phone_hash from lake.contacts")) == {(signed("canary@example.org"), signed("446681800"))}


@pytest.mark.fault("S6")
def test_neither_key_nor_address_is_found_below_home(make_ingest: Callable[..., Any]) -> None:
    ingest = make_ingest(hash_key=SECRET)
    rows = "".join(f"c{number},a1,canary@example.org,+41446681800\n" for number in range(300))
    ingest.deliver("canonical/contacts/2026-01-02/a.csv", HEAD + rows + "c300,,canary@example.org,+41446681800\n")
    report = ingest.walk()
    assert "rule required" in report.rejections[0]
    found = everything_below(ingest.settings.home) + "".join(report.rejections + report.warnings).encode() + repr(ingest.settings).encode()
    for personal in (SECRET, "canary@", "41446681800"):
        assert personal.encode() not in found


@pytest.mark.fault("S6")
def test_without_a_secret_a_key_is_made_once_for_its_owner_only(ingest: Any) -> None:
    path = ingest.settings.restricted / "hash_key"
    ingest.deliver("canonical/contacts/2026-01-02/a.csv", HEAD + "c1,a1,zoe@example.org,\n")
    ingest.walk()
    made = path.read_text()
    assert (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)) == (0o600, 0o700)
    ingest.deliver("canonical/contacts/2026-01-03/a.csv", HEAD + "c2,a1,zoe@example.org,\n")
    ingest.walk()
    assert path.read_text() == made
    assert ingest.all("select distinct email_hash from lake.contacts") == [(signed("zoe@example.org", made),)]


@pytest.mark.fault("S7")
def test_a_key_that_changed_or_is_gone_is_told_before_anything_is_read(make_ingest: Callable[..., Any]) -> None:
    ingest = make_ingest()
    ingest.deliver("canonical/contacts/2026-01-02/a.csv", HEAD + "c1,a1,zoe@example.org,\n")
    ingest.walk()
    ingest.deliver("canonical/contacts/2026-01-03/a.csv", HEAD + "c2,a1,zoe@example.org,\n")
    changed = make_ingest(hash_key=SECRET)
    with pytest.raises(UsageError, match="the hash key changed: ROI_HASH_KEY has id"):
        changed.walk()
    (ingest.settings.restricted / "hash_key").unlink()
    with pytest.raises(UsageError, match="restore the file from a backup"):
        ingest.walk()
    assert ingest.all("select count(*) from lake.contacts") == [(1,)]


def test_a_short_secret_is_refused_without_being_shown(make_ingest: Callable[..., Any]) -> None:
    ingest = make_ingest(hash_key="hunter2")
    ingest.deliver("canonical/contacts/2026-01-02/a.csv", HEAD + "c1,a1,zoe@example.org,\n")
    with pytest.raises(UsageError, match="shorter than 32 characters") as refused:
        ingest.walk()
    assert "hunter2" not in str(refused.value)


@pytest.mark.fault("S6")
def test_a_mapping_may_not_read_the_key(make_ingest: Callable[..., Any], tmp_path: Path) -> None:
    mappings = write_system(
        tmp_path / "mappings",
        "crm",
        "time_zone: UTC\nstreams:\n  a:\n    columns: [id]\n    feeds:\n      contacts: {sql: a.sql, records: true}\n",
        a="select record_number, id as contact_id,\n    GetVariable('inner_pad')::varchar as account_id from source",
    )
    ingest = make_ingest(mappings=mappings)
    ingest.deliver("crm/a/2026-01-02/a.csv", "id\nc1\n")
    with pytest.raises(UsageError, match=r"a\.sql:2: the function getvariable is not allowed"):
        ingest.walk()


@pytest.mark.fault("S7")
@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("write to zoé.o'neil+x@mail.example.org, please", "write to [email], please"),
        ("call +41 (0)44 668 18 00 or 0041446681800", "call [phone] or [phone]"),
        ("call 044 668 18 00, (044) 668 18 00 or 202-555-0100", "call [phone], [phone] or [phone]"),
        ("my card is 4111 1111-1111 1111", "my card is [number]"),
        ("pay to CH93 0076 2011 6238 5295 7 or NO9386011117947", "pay to [iban] or [iban]"),
        ("my number is 818.942.526-91, case 123456789", "my number is [number], case [number]"),
        ("see https://spam.example/?q=1 and www.spam.example now", "see [link] and [link] now"),
        ("ROI 爱游戏下载 of service\u200b", "ROI  of service"),
        ("arrived 10/12/2017, not on 2017-12-01 10:56, order 1234567", "arrived 10/12/2017, not on 2017-12-01 10:56, order 1234567"),
        ("很好, 1,234.50 EUR for 12 pieces, 100 % @ work", "很好, 1,234.50 EUR for 12 pieces, 100 % @ work"),
        *[(text, text) for text in HOSTILE],
    ],
)
def test_a_text_keeps_its_words_and_loses_addresses_numbers_and_spam(sql: Any, text: str, kept: str) -> None:
    assert sql("masked_text(?)", text) == kept
    assert sql("masked_text(?)", kept) == kept


def test_a_field_value_of_digits_only_is_an_id_and_stays(sql: Any) -> None:
    assert sql("masked_value(?)", "360001234567") == "360001234567"
    assert sql("masked_value(?)", "call 360001234567") == "call [number]"


def test_masking_takes_linear_time(sql: Any) -> None:
    for hostile in ("a@" * 50_000, "0 " * 50_000, "CH93" + " 0076" * 20_000, "(0" * 50_000, "爱" * 50_000):
        assert sql("length(masked_text(?))", hostile) <= len(hostile)


@pytest.mark.fault("S7")
def test_a_comment_is_masked_and_still_counts(ingest: Any) -> None:
    ingest.deliver(
        "canonical/survey_responses/2026-01-02/a.csv", SURVEY + "r1,q,2026-01-01T00:00:00Z,zoe@example.org\nr2,q,2026-01-01T00:00:00Z,\n"
    )
    ingest.walk()
    assert ingest.all("select response_id, comment from lake.survey_responses order by 1") == [("r1", "[email]"), ("r2", None)]


def test_hashed_columns_are_restricted_texts_that_are_no_key() -> None:
    personal = {(feed, column.name) for feed in feeds() for column in load_contract(feed).columns if column.hashed or column.masked}
    assert {
        ("contacts", "email_hash"),
        ("contacts", "phone_hash"),
        ("survey_responses", "comment"),
        ("feedback_items", "feedback_text"),
    } <= personal
    for feed, name in sorted(personal):
        column = load_contract(feed).column(name)
        assert (column.sql_type, column.key_position, column.valid_values, column.default) == ("varchar", None, (), None)
        assert column.restricted or column.hashed is None
    for feed in feeds():
        for column in load_contract(feed).columns:
            assert column.hashed or not column.name.endswith(("email_hash", "phone_hash")), f"{feed}.{column.name} names a hash and is none"


@pytest.mark.fault("S8")
def test_a_file_delivered_again_brings_no_forgotten_account_back(make_ingest: Callable[..., Any]) -> None:
    ingest = make_ingest(hash_key=SECRET)
    keep_erased(
        ingest.ledger,
        [ErasedPerson("account", signed("a1"), "FORGOTTEN-1"), ErasedPerson("contact", signed("c1"), "FORGOTTEN-1-1")],
    )
    ingest.deliver("canonical/contacts/2026-01-02/a.csv", HEAD + "c1,a1,zoe@example.org,+41446681800\nc2,a2,ann@example.org,\n")
    ingest.deliver("canonical/accounts/2026-01-02/a.csv", "account_id,account_name,parent_account_id\na1,Zoe,\na2,Ann,a1\n")
    ingest.deliver("canonical/survey_responses/2026-01-02/a.csv", SURVEY.strip() + ",contact_id\nr1,q,2026-01-01T00:00:00Z,bad,c1\n")
    report = ingest.walk()
    assert sorted(report.warnings)[2].startswith("canonical/survey_responses/2026-01-02/a.csv: 1 rows of forgotten accounts came again")
    assert ingest.all("select contact_id, account_id, email_hash, phone_hash, record_number from lake.contacts order by 1 desc") == [
        ("c2", "a2", signed("ann@example.org"), None, 2),
        ("FORGOTTEN-1-1", "FORGOTTEN-1", None, None, 1),
    ]
    assert ingest.all("select account_id, account_name, parent_account_id from lake.accounts order by 1 desc") == [
        ("a2", "Ann", "FORGOTTEN-1"),
        ("FORGOTTEN-1", None, None),
    ]
    assert ingest.all("select contact_id, comment from lake.survey_responses") == [("FORGOTTEN-1-1", None)]


@pytest.mark.fault("S8")
def test_a_refused_record_of_a_forgotten_account_is_told_without_its_id(make_ingest: Callable[..., Any]) -> None:
    ingest = make_ingest(hash_key=SECRET)
    keep_erased(ingest.ledger, [ErasedPerson("account", signed("account-zoe"), "FORGOTTEN-1")])
    rows = "".join(f"a{number},b2c\n" for number in range(300))
    ingest.deliver("canonical/accounts/2026-01-02/a.csv", "account_id,account_kind\naccount-zoe,b2x\n" + rows)
    assert "account-zoe" not in ingest.walk().rejections[0]
    assert b"account-zoe" not in (ingest.settings.ops / "ledger.sqlite").read_bytes()
