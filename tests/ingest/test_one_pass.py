"""The one-pass SELECT stores what the slower one stores. Breaks: a person's address as an id in clear, an id of two forms."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.ingest.conform.one_pass import one_pass_sql
from dagster_project.ingest.pii.ids import BETWEEN
from dagster_project.ingest.readers.dialect import Dialect
from dagster_project.ingest.sql_text import BLANKS
from tests.ingest.casting_rows import CONNECTION, MANY, UNSHRUNK, written_down
from tests.ingest.test_masking import NUMBERS, ORDINARY_IDS, PREFIXES, WIDE

IDS = ("ticket_id", "account_id", "contact_id", "agent_id", "department_id")
_NUMBERS = st.builds("{}{}".format, st.sampled_from(PREFIXES), st.sampled_from(NUMBERS))
_ADDRESSES = st.sampled_from(["a.b@c.example", "a.b (at) c (dot) example", "mailto:a@c.example", "a%40c.example", "a&#64;c.example"])
_PERSONS = st.one_of(_NUMBERS, _NUMBERS.map(lambda text: text.translate(WIDE)), _ADDRESSES)
_ODD = st.sampled_from(["1E+05", "é", "e\u0301", "Ａ1", f"a{BETWEEN}b", f"a{BETWEEN}+49 171 5550199", *(f"{sign}a" for sign in BLANKS)])
_PLAIN = st.sampled_from([None, "a-1", *ORDINARY_IDS])
_RECORDS = st.fixed_dictionaries({name: st.one_of(_PLAIN, _PLAIN, _PLAIN, _PERSONS, _ODD) for name in ("interaction_id", *IDS)})


@pytest.mark.fault("S16", "S18")
@given(st.lists(_RECORDS, min_size=MANY, max_size=MANY))
@settings(UNSHRUNK, max_examples=40)
def test_both_ways_store_the_same_ids(records: list[dict[str, str | None]]) -> None:
    plan, listed = written_down("interactions", records, "UTC", Dialect())
    fast = one_pass_sql(plan, "one", is_numbered=True).replace("error('reject')", "null")
    columns = ", ".join(("interaction_id", *IDS, "row_hash"))
    found = CONNECTION.execute(f"select record_number, {columns} from ({fast}) where row_hash is not null").fetchall()
    stored = {row["record_number"]: tuple(row[name] for name in ("interaction_id", *IDS, "row_hash")) for row in listed}
    assert {row[0]: row[1:] for row in found} == {row[0]: stored[row[0]] for row in found}


def test_a_number_of_a_person_is_hashed_in_whichever_column_it_comes() -> None:
    records = [{"interaction_id": f"i-{name}", **dict.fromkeys(IDS, "a-1"), name: "+49 171 5550199"} for name in IDS]
    plan, _ = written_down("interactions", records, "UTC", Dialect())
    found = CONNECTION.execute(f"select {', '.join(IDS)} from ({one_pass_sql(plan, 'one', is_numbered=True)})").fetchall()
    assert len(found) == len(IDS)
    hashes = {value for row in found for value in row if value != "a-1"}
    assert len(hashes) == 1
    assert len(hashes.pop()) == 64
