"""The company as systems export it: true headers, every feed from one place, and the counts and sums of truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.assumptions import load_assumptions
from dagster_project.errors import UsageError
from dagster_project.ingest.landing.inventory import new_files
from dagster_project.ingest.loading import load
from dagster_project.ingest.mapping.systems import Mappings
from dagster_project.ledger.store import Ledger
from dagster_project.settings import load_settings
from demo_company.company import write_company
from demo_company.exports.systems import SYSTEMS, headers
from demo_company.feeds import FEEDS

ACCOUNTS, MONTHS, SEED = 250, 3, 11
DIALECT = "all_varchar = true, delim = ',', quote = '\"', escape = '\"', header = true"
FILE_NAMES = {"zendesk": "{}_data.csv", "shopify": "shopify_{}_data.csv", "quickbooks": "{}_data.csv", "qualtrics": "{}.csv"}
WITHOUT_A_SAMPLE = {("zendesk", "call")}
"""The calls of the telephony have no sample among the shapes; their header is that of the vendor's interface."""


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    landing = tmp_path_factory.mktemp("exported") / "landing"
    return landing, write_company(landing, ACCOUNTS, MONTHS, SEED, systems=tuple(SYSTEMS))


@pytest.fixture(scope="module")
def raw(exported: tuple[Path, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Views `<system>_<stream>` over the raw files, and tables `<feed>` of the same company written canonically."""
    plain = tmp_path_factory.mktemp("plain") / "landing"
    write_company(plain, ACCOUNTS, MONTHS, SEED)
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        for system in SYSTEMS:
            for stream in headers(system):
                pattern = exported[0] / system / stream / "*" / "*.csv"
                connection.execute(f"create view {system}_{stream} as from read_csv('{pattern}', {DIALECT})")
        for folder in sorted((plain / "canonical").iterdir()):
            connection.execute(f"create view {folder.name} as from read_csv('{folder}/*/*.csv', {DIALECT})")
        yield connection


def one(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:
    (value,) = connection.execute(sql).fetchone() or (None,)
    return value


def test_a_feed_comes_from_one_place(exported: tuple[Path, dict[str, Any]]) -> None:
    canonical = {path.name for path in (exported[0] / "canonical").iterdir()}
    assert {"budgets", "fiscal_periods", "fx_rates", "agents"} <= canonical
    assert canonical == set(FEEDS) - {feed for feeds in SYSTEMS.values() for feed in feeds}


def test_only_the_named_system_takes_its_feeds(tmp_path: Path) -> None:
    write_company(tmp_path / "landing", 30, 1, SEED, systems=("quickbooks",))
    assert sorted(path.name for path in (tmp_path / "landing").iterdir()) == ["canonical", "quickbooks"]
    canonical = {path.name for path in (tmp_path / "landing" / "canonical").iterdir()}
    assert "ledger_actuals" not in canonical
    assert "tickets" in canonical


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_stream_has_the_header_of_the_true_export(system: str, exported: tuple[Path, dict[str, Any]], shared_data: Path) -> None:
    for stream, header in headers(system).items():
        files = sorted((exported[0] / system / stream).glob("*/*.csv"))
        assert files, f"{system}/{stream} is never written"
        assert {file.read_text(encoding="utf-8").split("\n", 1)[0] for file in files} == {",".join(header)}
        if (system, stream) not in WITHOUT_A_SAMPLE:
            sample = shared_data / "export_shapes" / system / FILE_NAMES[system].format(stream)
            assert ",".join(header) == sample.read_text(encoding="utf-8-sig").splitlines()[0], f"{system}/{stream}"


def test_the_same_seed_gives_the_same_bytes(exported: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    again = tmp_path / "landing"
    assert write_company(again, ACCOUNTS, MONTHS, SEED, systems=tuple(SYSTEMS)) == exported[1]
    files = sorted(path.relative_to(again) for path in again.rglob("*.csv"))
    assert files == sorted(path.relative_to(exported[0]) for path in exported[0].rglob("*.csv"))
    assert all((again / file).read_bytes() == (exported[0] / file).read_bytes() for file in files)


def test_an_unknown_system_and_a_taken_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown system sap; known systems: zendesk, shopify, quickbooks, qualtrics"):
        write_company(tmp_path / "landing", 30, 1, SEED, systems=("sap",))
    (tmp_path / "landing" / "shopify").mkdir(parents=True)
    with pytest.raises(UsageError, match="holds other files"):
        write_company(tmp_path / "landing", 30, 1, SEED, systems=("shopify",))


def test_the_ledger_keeps_its_rows_and_every_cent_of_truth(exported: tuple[Path, dict[str, Any]], raw: duckdb.DuckDBPyConnection) -> None:
    truth = exported[1]
    signed = "sum(case posting_type when 'Debit' then 1 else -1 end * amount::decimal(18, 2))"
    expenses = "quickbooks_journal_entry_line join quickbooks_journal_entry e on e.id = journal_entry_id where index <> '0'"
    assert one(raw, f"select count(*) from {expenses}") == truth["rows"]["ledger_actuals"]
    found = dict(raw.execute(f"select right(private_note, 7), {signed} from {expenses} group by 1").fetchall())
    for month in truth["cost_cents"]:
        said = sum(truth["cost_cents"][month].values()) + truth["out_of_scope_cents"][month]
        assert found[month] == Decimal(said) / 100, month
    assert raw.execute(f"select journal_entry_id from quickbooks_journal_entry_line group by 1 having {signed} <> 0").fetchall() == []


def test_orders_lines_and_refunds_keep_their_rows_and_sums(exported: tuple[Path, dict[str, Any]], raw: duckdb.DuckDBPyConnection) -> None:
    rows = exported[1]["rows"]
    for stream, feed in (("order", "orders"), ("order_line", "order_lines"), ("refund", "refunds"), ("order_line_refund", "refunds")):
        assert one(raw, f"select count(*) from shopify_{stream}") == rows[feed], stream
    assert one(raw, "select count(*) from shopify_transaction where kind = 'sale'") == rows["payments"]
    for ours, theirs in (
        ("select sum(net_amount::decimal(18, 2)) from orders", "select sum(subtotal_price::decimal(18, 2)) from shopify_order"),
        ("select sum(tax_amount::decimal(18, 2)) from orders", "select sum(price::decimal(18, 2)) from shopify_tax_line"),
        ("select sum(net_amount::decimal(18, 2)) from order_lines", "select sum(pre_tax_price::decimal(18, 2)) from shopify_order_line"),
        ("select sum(refund_amount::decimal(18, 2)) from refunds", "select sum(subtotal::decimal(18, 2)) from shopify_order_line_refund"),
        (
            "select sum(payment_amount::decimal(18, 2)) from payments",
            "select sum(amount::decimal(18, 2)) from shopify_transaction where kind = 'sale'",
        ),
        (  # the shop knows the cost of an item, one for each size of pack, and no cost of a line
            "select sum(quantity::decimal(18, 3) * unit_cost::decimal(18, 4)) from order_lines",
            "select sum(l.quantity::decimal(18, 3) * i.unit_cost_amount::decimal(18, 4)) from shopify_order_line as l"
            " join (select distinct id, inventory_item_id from shopify_product_variant) as v on v.id = l.variant_id"
            " join (select distinct id, unit_cost_amount from shopify_inventory_item) as i on i.id = v.inventory_item_id",
        ),
    ):
        assert one(raw, ours) == one(raw, theirs), theirs
    assert one(raw, "select count(distinct id) - count(distinct (id, unit_cost_amount)) from shopify_inventory_item") == 0
    assert one(raw, "select count(*) from shopify_order_note_attribute where name = 'offer_id'") == sum(
        month["offer_orders"] for month in exported[1]["counts"].values()
    )


def test_money_of_counted_sales_in_the_reporting_currency_is_that_of_truth(
    exported: tuple[Path, dict[str, Any]], raw: duckdb.DuckDBPyConnection
) -> None:
    """Net sales of a month, each line converted at the month's rate and rounded half away from zero."""
    found = dict(
        raw.execute("""
        select left(o.created_at, 7), sum(round(l.pre_tax_price::decimal(18, 2) * coalesce(f.exchange_rate::decimal(18, 8), 1), 2))
        from shopify_order_line l join shopify_order o on o.id = l.order_id
        left join fx_rates f on o.currency = f.from_currency_code and left(f.rate_date, 7) = left(o.created_at, 7)
        where o.test = 'FALSE' and o.cancelled_at is null group by 1""").fetchall()
    )
    assert {month: Decimal(money["net_sales"]) / 100 for month, money in exported[1]["money_cents"].items()} == found


def test_tickets_keep_their_latest_state(raw: duckdb.DuckDBPyConnection, exported: tuple[Path, dict[str, Any]]) -> None:
    assert one(raw, "select count(*) from zendesk_ticket") == exported[1]["rows"]["tickets"]
    ours = raw.execute("""select case when is_deleted = 'true' then 'deleted' else ticket_state end from tickets
        qualify row_number() over (partition by ticket_id order by source_updated_at desc) = 1""").fetchall()
    theirs = raw.execute("""
        select coalesce(max(case tag when 'spam' then 'spam' when 'closed_by_merge' then 'merged' end), any_value(status))
        from (from zendesk_ticket qualify row_number() over (partition by id order by updated_at desc) = 1) t
        left join zendesk_ticket_tag g on g.ticket_id = t.id group by t.id""").fetchall()
    assert Counter(ours) == Counter(theirs)
    assert set(Counter(ours)) >= {("solved",), ("closed",), ("spam",), ("deleted",)}
    solved = "select count(distinct ticket_id) from zendesk_ticket_field_history where field_name = 'status' and value = 'solved'"
    assert one(raw, solved) == one(raw, "select count(distinct ticket_id) from tickets where first_solved_at is not null")


def test_every_contact_is_a_call_a_chat_or_a_comment(raw: duckdb.DuckDBPyConnection, exported: tuple[Path, dict[str, Any]]) -> None:
    merges = one(raw, "select count(*) from tickets where merged_into_ticket_id is not null")
    streams = {stream: one(raw, f"select count(*) from zendesk_{stream}") for stream in ("call", "ticket_chat", "ticket_comment")}
    assert sum(streams.values()) == exported[1]["rows"]["interactions"] + merges
    assert min(streams.values()) > 0
    for ours, theirs in (("talk_seconds", "talk_time"), ("hold_seconds", "hold_time"), ("queue_seconds", "wait_time")):
        said = one(raw, f"select sum({ours}::bigint) from interactions where channel = 'phone'")
        assert one(raw, f"select sum({theirs}::bigint) from zendesk_call") == said, theirs


@pytest.mark.parametrize(
    ("feed", "name", "of"),
    [
        ("recovery_actions", "ticket_id", "select id from zendesk_ticket"),
        ("survey_invitations", "ticket_id", "select id from zendesk_ticket"),
        ("recovery_actions", "order_id", "select id from shopify_order"),
        ("problem_events", "order_id", "select id from shopify_order"),
        ("problem_events", "line_id", "select id from shopify_order_line"),
        ("offers", "interaction_id", "select 'call_' || id from zendesk_call union all select 'chat_' || chat_id from zendesk_ticket_chat"),
    ],
)
def test_what_stays_canonical_names_rows_as_the_systems_do(
    exported: tuple[Path, dict[str, Any]], raw: duckdb.DuckDBPyConnection, feed: str, name: str, of: str
) -> None:
    rows = f"from read_csv('{exported[0]}/canonical/{feed}/*/*.csv', {DIALECT}) where {name} is not null"
    assert one(raw, f"select count(*) {rows}") == one(raw, f"select count(*) from {feed} where {name} is not null") > 0
    comments = " union all select 'comment_' || id from zendesk_ticket_comment" if name == "interaction_id" else ""
    assert one(raw, f"select count(*) {rows} and {name} not in ({of}{comments})") == 0


@pytest.mark.parametrize("seed", [SEED, pytest.param(23, marks=pytest.mark.nightly)])
def test_ingest_takes_every_record_of_an_exported_company(exported: tuple[Path, dict[str, Any]], tmp_path: Path, seed: int) -> None:
    landing = exported[0] if seed == SEED else tmp_path / "landing"
    if seed != SEED:
        write_company(landing, 4 * ACCOUNTS, MONTHS, seed, systems=tuple(SYSTEMS))
    settings = load_settings(landing=landing, home=tmp_path / "home")
    settings.ops.mkdir(parents=True)
    ledger = Ledger(settings.ops)
    report = load(settings, load_assumptions(), ledger, new_files(landing, ledger, Mappings()), "run")
    assert report.refusals == []
    assert sum(file.quarantined for file in report.files) == 0
    assert len(report.files) > 200


def test_customers_and_contacts_are_organizations_and_users(raw: duckdb.DuckDBPyConnection) -> None:
    for ours, theirs in (
        ("select count(distinct account_id) from accounts", "select count(distinct external_id) from zendesk_organization"),
        ("select count(distinct account_id) from accounts", "select count(distinct email) from shopify_customer"),
        ("select count(distinct contact_id) from contacts", "select count(distinct external_id) from zendesk_user where role = 'end-user'"),
    ):
        assert one(raw, ours) == one(raw, theirs), theirs
    lost = "zendesk_ticket where organization_id is not null and organization_id not in (select id from zendesk_organization)"
    assert one(raw, f"select count(*) from {lost}") == 0


def test_answers_keep_their_rows_scores_and_comments(raw: duckdb.DuckDBPyConnection, exported: tuple[Path, dict[str, Any]]) -> None:
    answers = "qualtrics_question_response where value is not null"
    assert one(raw, f"select count(*) from {answers}") == exported[1]["rows"]["survey_responses"]
    assert one(raw, f"select sum(value::int) from {answers}") == one(raw, "select sum(score::decimal(9, 4)) from survey_responses")
    comments = raw.execute("select text from qualtrics_question_response where text is not null").fetchall()
    assert Counter(comments) == Counter(raw.execute("select comment from survey_responses where comment is not null").fetchall())
    assert one(raw, "select count(*) from qualtrics_survey_response") == one(
        raw, "select count(distinct response_id) from survey_responses"
    )
